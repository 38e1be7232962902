"""Which maps a model can have, and what of a choice of layer and head applies to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from detectattn.attention.maps import BASELINES, METHODS
from detectattn.attention.maps.base import Choice, Need, Select
from detectattn.errors import ConfigError
from detectattn.results.attention import AttentionSite

DEFAULT = "layercam"
"""The map that is shown where nothing else decides. It fits every model; of the maps of the embedded attention model it
is the most faithful and the only one that says more than the box, and of the embedded YOLO's the most faithful that
takes no pass back to the pixels (``python -m benchmarks faithfulness``)."""

_OF_ATTENTION: frozenset[Need] = frozenset({"cross", "grid"})


def list_fitting(sites: Sequence[AttentionSite]) -> tuple[str, ...]:
    """The methods that a model with these attention modules can be drawn with, in the order of the methods."""
    return tuple(name for name, m in METHODS.items() if m.needs not in _OF_ATTENTION or list_layers(sites, m.needs))


def choose_methods(sites: Sequence[AttentionSite], wanted: Sequence[str]) -> tuple[str, ...]:
    """The methods for a model, the baselines last.

    Those that are wanted and fit; where none is wanted, all that do not need gradients as far as the picture; where
    none of those wanted fits, the one that fits every model.

    Raises:
        ConfigError: A method does not exist.
    """
    require_methods(wanted)
    fitting = list_fitting(sites)
    if wanted:
        chosen = [name for name in fitting if name in wanted] or [DEFAULT]
    else:
        chosen = [name for name in fitting if METHODS[name].needs != "pixel_gradient"]
    return tuple(name for name in chosen if name not in BASELINES) + BASELINES


def choose_first(methods: Sequence[str], wanted: Sequence[str]) -> str:
    """The method that is shown where no scores decide: the first that is wanted, else the default."""
    for name in (*wanted, DEFAULT, *methods):
        if name in methods:
            return name
    raise ValueError("no methods to choose among")


def require_methods(wanted: Sequence[str]) -> None:
    """Refuse methods that do not exist.

    Raises:
        ConfigError: One of them.
    """
    for name in wanted:
        if name not in METHODS:
            raise ConfigError(f"there is no map {name!r}", hint=f"Choose among: {', '.join(METHODS)}")


def list_layers(sites: Sequence[AttentionSite], need: Need) -> Mapping[int, int]:
    """The layers that a method of this need can show, by the number that a choice calls them: how many heads each has.

    Empty for what needs no attention, and for models that lack it.
    """
    if need == "cross":
        return {site.layer: site.heads for site in sites if site.kind == "deformable"}
    if need == "grid":
        return dict(enumerate(site.heads for site in sites if site.kind in ("global", "area")))
    return {}


def fit_choice(method: str, sites: Sequence[AttentionSite], wanted: Choice) -> Choice:
    """What of a choice applies to a method and a model: a layer or head that there is not is left to the default."""
    layers, selects = list_layers(sites, METHODS[method].needs), METHODS[method].selects
    layer = wanted.layer if "layer" in selects and wanted.layer in layers else None
    shown = [layer] if layer is not None else [max(layers)] if layers and "layer" in selects else list(layers)
    heads = min((layers[number] for number in shown), default=0) if "head" in selects else 0
    head = wanted.head if wanted.head is not None and wanted.head < heads else None
    return replace(wanted, layer=layer, head=head)


def require_choice(models: Mapping[str, Sequence[AttentionSite]], methods: Sequence[str], wanted: Choice) -> None:
    """Refuse a layer or a head that no map of any model can show.

    Args:
        models: Attention modules by the name of the model.
        methods: Those that are made, of whichever model.
        wanted: The choice.

    Raises:
        ConfigError: There is no such layer or head, or other maps show it; the hint says what there is.
    """
    there = "; ".join(f"{name}: {_describe(sites)}" for name, sites in models.items())
    asked: tuple[tuple[Select, int | None], ...] = (("layer", wanted.layer), ("head", wanted.head))
    for what, number in asked:
        able = [] if number is None else _list_able(models, what, wanted)
        if number is None or set(able) & set(methods):
            continue
        if able:
            raise _tell_unable(methods, f"{what} {number}", able)
        raise ConfigError(f"no map here can show the {what} {number} of attention alone", hint=f"There are: {there}")


def _list_able(models: Mapping[str, Sequence[AttentionSite]], what: Select, wanted: Choice) -> list[str]:
    """The methods that can show the layer or the head of a choice, of any of these models."""
    return [
        name
        for name in METHODS
        if any(getattr(fit_choice(name, sites, wanted), what) is not None for sites in models.values())
    ]


def _tell_unable(methods: Sequence[str], what: str, able: Sequence[str]) -> ConfigError:
    made = [name for name in methods if name not in BASELINES] or list(methods)
    attends = any(METHODS[name].needs in _OF_ATTENTION for name in made)
    many = len(made) > 1
    why = "no single" if attends else "no attention, and so no"
    return ConfigError(
        f"{', '.join(made)} {'show' if many else 'shows'} {why} {what}", hint=f"Take --maps {' or '.join(able)}"
    )


def title_of(method: str, wanted: Choice, sites: Sequence[AttentionSite]) -> str:
    """A method's name with the layer and head that it shows of a model, where they were chosen."""
    choice, title = fit_choice(method, sites, wanted), METHODS[method].title
    if choice.layer is not None:
        title = f"{title.removesuffix(', last layer')}, layer {choice.layer}"
    return title if choice.head is None else f"{title}, head {choice.head}"


def _describe(sites: Sequence[AttentionSite]) -> str:
    names: tuple[tuple[Need, str], ...] = (("cross", "cross-attention"), ("grid", "self-attention"))
    parts = []
    for need, name in names:
        if layers := list_layers(sites, need):
            last = max(layers)
            numbers = "layer 0" if last == 0 else f"layers 0 to {last}"
            parts.append(f"{name} {numbers} of {min(layers.values())} heads")
    return " and ".join(parts) or "no attention"
