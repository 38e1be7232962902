"""How far the evidence of models reaches beyond their boxes, and which one's reaches further."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from detectattn.explain.judge import average
from detectattn.report.explanation import DetectionExplained, ModelExplained, PictureExplained
from detectattn.results.explanation import MeanFigure, MethodFigures


@dataclass(frozen=True, slots=True)
class ReachDifference:
    """Two models by one method, over the objects that both find.

    Attributes:
        a: Name of the one.
        b: Name of the other.
        figure: Share of the map's mass outside the box, of ``a`` less that of ``b``, paired by object.
        objects: How many objects there are.
    """

    a: str
    b: str
    figure: MeanFigure
    objects: int

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return self.figure.low > 0 or self.figure.high < 0


COMPARABLE = ("input_gradient", "layercam", "hirescam", "rollout", "cross_last", "cross_all")
"""Methods that models are compared by, the first that all have: what speaks for a detection. Gradients come first, for
they mean the same in every model, and of these the one that goes as far as the picture."""


def find_common_method(models: Sequence[ModelExplained]) -> str | None:
    """The first of :data:`COMPARABLE` that all models have, and that is no better than random in none of them."""
    for name in COMPARABLE:
        found = [find_figures(model, name) for model in models]
        if all(f is not None and f.worth != "no better than random" for f in found):
            return name
    return None


def find_figures(model: ModelExplained, method: str) -> MethodFigures | None:
    """A method's figures of a model; None where no detection has its map."""
    return next((f for f in model.methods if f.method == method), None)


def turn_outside(inside: MeanFigure) -> MeanFigure:
    """The share of the mass outside a box, from that inside."""
    return MeanFigure(1 - inside.value, 1 - inside.high, 1 - inside.low, inside.units, inside.unit)


def compare_reach(
    pictures: Sequence[PictureExplained], models: Sequence[ModelExplained], method: str
) -> tuple[ReachDifference, ...]:
    """Every two models by one method, on the objects that both find; pairs without such objects are left out.

    Args:
        pictures: All of them.
        models: In the order of ``found``.
        method: That both have.
    """
    pairs = [(i, j) for i in range(len(models)) for j in range(i + 1, len(models))]
    differences = []
    for i, j in pairs:
        values = _list_differences(pictures, i, j, method)
        if values:
            differences.append(ReachDifference(models[i].name, models[j].name, average(values), len(values)))
    return tuple(differences)


def _list_differences(
    pictures: Sequence[PictureExplained], i: int, j: int, method: str
) -> list[tuple[tuple[str, int], float]]:
    values = []
    for picture in pictures:
        for found in picture.objects:
            apart = _outside(found.found[i], method) - _outside(found.found[j], method)
            if math.isfinite(apart):
                values.append(((picture.source, picture.index), apart))
    return values


def _outside(detection: DetectionExplained | None, method: str) -> float:
    if detection is None:
        return math.nan
    return next((score.reach.outside for score in detection.scores if score.method == method), math.nan)
