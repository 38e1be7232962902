"""Which map of a model is shown first, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detectattn.explain.choice import choose_first
from detectattn.explain.judge import BASELINES
from detectattn.results.explanation import MethodFigures

UNSCORED = "It fits every model."
"""The reason where nothing was asked for and nothing scored."""


@dataclass(frozen=True, slots=True)
class DefaultMap:
    """A model's map that stands for it.

    Attributes:
        method: Its key.
        reason: Why that one: a sentence with a full stop.
    """

    method: str
    reason: str


def choose_default(figures: Sequence[MethodFigures], methods: Sequence[str], wanted: Sequence[str]) -> DefaultMap:
    """The map that is shown of a model.

    What was asked for comes first; then the most faithful one, where maps were scored; then the default.

    Args:
        figures: Of the model's methods, the most faithful first; empty before anything is known.
        methods: That the model has.
        wanted: Methods that were asked for, in that order.
    """
    first = choose_first(methods, wanted)
    if wanted:
        if first in wanted:
            return DefaultMap(first, "It is the first of --maps that fits.")
        return DefaultMap(first, "None of the maps that were asked for fits, and this one fits every model.")
    scored = [f for f in figures if f.method not in BASELINES and f.faithfulness is not None]
    if scored:
        best = scored[0]
        others = f"the most faithful of its {len(scored)} maps" if len(scored) > 1 else "its only map"
        detections = f"{best.detections} detection{'' if best.detections == 1 else 's'}"
        return DefaultMap(best.method, f"It is {others} on {detections}.")
    return DefaultMap(first, UNSCORED)
