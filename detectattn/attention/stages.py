"""A model as a tree: its parts, their blocks, and the attention inside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from detectattn.results.attention import AttentionKind, AttentionSite

_DECODER = "RTDETRDecoder"
_ENCODER_ATTENTION = "AIFI"
_SITE_LABELS: Mapping[AttentionKind, str] = {
    "global": "self-attention",
    "area": "area attention",
    "query": "self-attention",
    "deformable": "cross-attention",
}
# What RT-DETR's decoder consists of, besides its layers, by the names of its modules.
_DECODER_PIECES = (
    ("input projections", ("input_proj",)),
    ("query selection", ("enc_output", "enc_score_head", "enc_bbox_head")),
    ("query positions", ("query_pos_head",)),
)
_DECODER_HEADS = ("dec_bbox_head", "dec_score_head")
_HEAD_LABELS = {
    "cv2": "box branches",
    "cv3": "class branches",
    "one2one_cv2": "box branches",
    "one2one_cv3": "class branches",
    "dfl": "box distances",
}


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """A block of a tree, before anything runs.

    Attributes:
        label: What it is.
        modules: Paths of the modules whose calls it consists of; empty for a part, which is the sum of its children.
        children: Inside it, in the order in which the model holds them.
        attention: What kind of attention it is, or None.
    """

    label: str
    modules: tuple[str, ...]
    children: tuple[BlockPlan, ...] = ()
    attention: AttentionKind | None = None

    def iter_modules(self) -> Iterator[str]:
        """The paths of its modules and of those of all blocks inside it, parents first."""
        yield from self.modules
        for child in self.children:
            yield from child.iter_modules()


def plan_blocks(model: nn.Module, sites: Sequence[AttentionSite]) -> BlockPlan:
    """The tree of a model: backbone, then neck or encoder, then head or decoder.

    Where the backbone ends is what the model's own YAML says; without one, all layers before the last are the body.

    Args:
        model: As Ultralytics builds it: layers in ``model.model``, the head last.
        sites: Its attention, as :func:`~detectattn.attention.find.find_attention` finds it.
    """
    layers: list[nn.Module] = list(model.model)  # type: ignore[arg-type]  # Ultralytics models hold an nn.Sequential
    parts = [
        BlockPlan(label, (), tuple(_plan_layer(i, layers[i], sites) for i in numbers))
        for label, numbers in _split_layers(model, layers)
        if numbers
    ]
    head = len(layers) - 1
    return BlockPlan("model", ("",), (*parts, _plan_head(head, layers[head], sites)))


def _split_layers(model: nn.Module, layers: Sequence[nn.Module]) -> list[tuple[str, range]]:
    """The layers before the head, by part."""
    config: Any = getattr(model, "yaml", None)
    backbone = len(config["backbone"]) if isinstance(config, dict) and "backbone" in config else None
    head = len(layers) - 1
    if backbone is None or backbone > head:
        return [("body", range(head))]
    types = [type(layer).__name__ for layer in layers]
    if types[head] != _DECODER:
        return [("backbone", range(backbone)), ("neck", range(backbone, head))]
    attention = [i for i in range(backbone, head) if types[i] == _ENCODER_ATTENTION]
    within = attention[-1] + 1 if attention else backbone
    return [
        ("backbone", range(backbone)),
        ("encoder: within a scale (AIFI)", range(backbone, within)),
        ("encoder: across scales (CCFM)", range(within, head)),
    ]


def _plan_layer(number: int, layer: nn.Module, sites: Sequence[AttentionSite]) -> BlockPlan:
    path = f"model.{number}"
    inside = [site for site in sites if _is_inside(site.module, path)]
    return BlockPlan(f"{number} {type(layer).__name__}", (path,), tuple(_plan_site(site, path) for site in inside))


def _plan_site(site: AttentionSite, parent: str) -> BlockPlan:
    label = _SITE_LABELS[site.kind]
    place = site.module.removeprefix(f"{parent}.")
    in_decoder = site.kind in ("query", "deformable")
    return BlockPlan(label if in_decoder else f"{label} {place}", (site.module,), (), site.kind)


def _plan_head(number: int, head: nn.Module, sites: Sequence[AttentionSite]) -> BlockPlan:
    path, kind = f"model.{number}", type(head).__name__
    children = _plan_decoder(path, head, sites) if kind == _DECODER else _plan_branches(path, head, sites)
    label = "decoder" if kind == _DECODER else "head"
    return BlockPlan(f"{label}: {number} {kind}", (path,), tuple(children))


def _plan_decoder(path: str, head: Any, sites: Sequence[AttentionSite]) -> Iterator[BlockPlan]:
    for label, names in _DECODER_PIECES:
        yield BlockPlan(label, tuple(_list_callable(path, head, names)))
    for i in range(len(head.decoder.layers)):
        layer = f"{path}.decoder.layers.{i}"
        inside = [site for site in sites if _is_inside(site.module, layer)]
        yield BlockPlan(f"decoder layer {i}", (layer,), tuple(_plan_site(site, layer) for site in inside))
    yield BlockPlan("box and class heads", tuple(_list_callable(path, head, _DECODER_HEADS)))


def _plan_branches(path: str, head: nn.Module, sites: Sequence[AttentionSite]) -> Iterator[BlockPlan]:
    for name, _ in head.named_children():
        modules = tuple(_list_callable(path, head, (name,)))
        inside = [site for site in sites if any(_is_inside(site.module, module) for module in modules)]
        children = tuple(_plan_site(site, path) for site in inside)
        yield BlockPlan(_HEAD_LABELS.get(name, name), modules, children)


def _list_callable(path: str, head: nn.Module, names: Iterable[str]) -> Iterator[str]:
    """Paths of those modules; a list of modules is never called itself, so its items stand for it."""
    for name in names:
        module = getattr(head, name, None)
        if isinstance(module, nn.ModuleList):
            yield from (f"{path}.{name}.{i}" for i in range(len(module)))
        elif isinstance(module, nn.Module):
            yield f"{path}.{name}"


def _is_inside(module: str, path: str) -> bool:
    return module == path or module.startswith(f"{path}.")
