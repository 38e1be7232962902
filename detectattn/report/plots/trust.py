"""How a plot shows times where the machine was too noisy, and what it says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from detectattn.report.cells import UNTRUSTED
from detectattn.report.content import ModelReport
from detectattn.report.plots.names import clean_name, join_words

_BEGINNING = f"{UNTRUSTED}\N{NO-BREAK SPACE}Grey, not to be trusted"
_MOST_TOLD = 4


TRUSTED, DOUBTED = "datum.trusted", "!datum.trusted"
"""For :func:`detectattn.report.plots.spec.make_layer`: rows of models whose times can be trusted, and the others."""

HOLLOW: Mapping[str, Any] = {"style": "open", "stroke": "#7F8790", "strokeWidth": 2}
"""Looks of a mark that should not be trusted: grey on either ground, as the type of mark has an edge of its own."""


def is_trusted(model: ModelReport | None) -> bool:
    """Whether a model's times can be trusted, if it was timed at all."""
    return model is None or model.speed is None or model.speed.noise.trusted


def doubt_note(models: Iterable[ModelReport]) -> str:
    """A sentence, after a space, for a caption: whose times should not be trusted, and the main reason of each.

    Nothing where all should be trusted.
    """
    told = [f"{clean_name(m.name, 40)} ({_reasons(m)[0].partition(', and ')[0]})" for m in models if not is_trusted(m)]
    return f" {_BEGINNING}: {join_words(told, _MOST_TOLD)}." if told else ""


def doubt_reasons(models: Iterable[ModelReport]) -> str:
    """The same with all reasons in full."""
    doubted = [m for m in models if not is_trusted(m)]
    told = [f"{clean_name(m.name, 40)}, {'; '.join(_reasons(m))}" for m in doubted[:_MOST_TOLD]]
    if others := [clean_name(m.name, 40) for m in doubted[_MOST_TOLD:]]:
        told.append(f"Likewise {join_words(others)}")
    return f" {_BEGINNING}: {'. '.join(told)}." if told else ""


def _reasons(model: ModelReport) -> tuple[str, ...]:
    return (() if model.speed is None else model.speed.noise.reasons) or ("the machine was too noisy",)
