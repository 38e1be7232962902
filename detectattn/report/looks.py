"""How each model of a report is drawn: one colour, one mark and one line, the same in every plot, table and picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detectattn.drawing.families import family_colors, to_hex
from detectattn.report.cells import base_models
from detectattn.report.content import Report
from detectattn.types import Family

# Names as Vega-Lite has them.
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
_DASHES: tuple[tuple[int, ...], ...] = ((), (7, 3), (2, 2), (9, 3, 2, 3), (4, 4), (12, 4))


@dataclass(frozen=True, slots=True)
class Look:
    """How a model is drawn.

    Attributes:
        color: ``#8E5BD0``: its family's, another shade of it for each further model.
        shape: Of its mark, in Vega-Lite's words; no two of the first eight models share one.
        dash: Of its line, on and off in pixels; empty for a whole line.
    """

    color: str
    shape: str
    dash: tuple[int, ...]


def find_looks(report: Report) -> Mapping[str, Look]:
    """The look of every model by name; a variant has its model's."""
    looks = assign_looks({model.name: model.family for model in base_models(report)})
    return {model.name: looks[model.base] for model in report.models if model.base in looks}


def assign_looks(families: Mapping[str, Family | None]) -> Mapping[str, Look]:
    """A look for each of some models.

    Args:
        families: By name, in the order in which they are shown; None where it is unknown.
    """
    colors = family_colors(list(families.values()))
    return {
        name: Look(to_hex(color), _SHAPES[i % len(_SHAPES)], _DASHES[i % len(_DASHES)])
        for i, (name, color) in enumerate(zip(families, colors, strict=True))
    }
