"""Which map of a model is shown first, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detectattn.explain.choice import choose_first
from detectattn.explain.judge import BASELINES
from detectattn.results.explanation import MethodFigures


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
            return DefaultMap(first, "It is the first of --maps that this model can have.")
        return DefaultMap(first, "This model can have none of the maps asked for, and this one every model can have.")
    scored = [f for f in figures if f.method not in BASELINES and f.faithfulness is not None]
    if scored:
        best = scored[0]
        others = f"the most faithful of its {len(scored)} maps" if len(scored) > 1 else "its only map"
        detections = f"{best.detections} detection{'' if best.detections == 1 else 's'}"
        return DefaultMap(best.method, f"It is {others} on {detections}.")
    told = "every model can have it, and it did best where the embedded models' maps were scored"
    return DefaultMap(first, f"No map was scored here; {told}.")
