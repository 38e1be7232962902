"""Which model of the one study is which of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detectattn.classes import nearest_names
from detectattn.compare.changes.side import Side
from detectattn.errors import ConfigError


def match_models(before: Side, after: Side, pairs: Sequence[str] = ()) -> Mapping[str, str]:
    """What each model of the second study is called in the first, in the order of the second.

    Args:
        before: The first study.
        after: The second.
        pairs: ``OLD=NEW`` for models that have another name now; all others go by their name.

    Raises:
        ConfigError: A pair names a model that is not there, or one that another pair names.
    """
    named: dict[str, str] = {}
    for text in pairs:
        old, new = _parse(text, before, after)
        if new in named or old in named.values():
            raise ConfigError(f"--pair {text} names a model that another --pair names", hint="Name each model once")
        named[new] = old
    taken = set(named.values())
    return {
        name: named.get(name, name)
        for name in after.models
        if name in named or (name in before.models and name not in taken)
    }


def _parse(text: str, before: Side, after: Side) -> tuple[str, str]:
    # A name may hold "=" itself, as variants do: whatever is a model on both sides is meant.
    cuts = [place for place, character in enumerate(text) if character == "="]
    known = [(text[:c], text[c + 1 :]) for c in cuts if text[:c] in before.models and text[c + 1 :] in after.models]
    if known:
        return known[0]
    if not cuts:
        raise ConfigError(
            f"--pair {text} names one model", hint="Write --pair OLD=NEW, the name before and the one now"
        )
    old, _, new = text.partition("=")
    wrong, side = (old, before) if old not in before.models else (new, after)
    near = nearest_names(wrong, side.models) or side.models
    raise ConfigError(f"--pair {text}: {side.run} has no model {wrong}", hint=f"Its models are {', '.join(near)}")
