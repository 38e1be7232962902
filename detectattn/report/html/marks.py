"""The mark of a model beside its name: the same shape and colour as in plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detectattn.report.looks import Look

# Within a square from -10 to 10, by Vega-Lite's names of shapes.
_PATHS: Mapping[str, str] = {
    "circle": "M8,0A8,8 0 1,1 -8,0A8,8 0 1,1 8,0Z",
    "square": "M-7,-7H7V7H-7Z",
    "triangle-up": "M0,-8L8.5,7H-8.5Z",
    "diamond": "M0,-9L7.5,0L0,9L-7.5,0Z",
    "cross": "M-3,-8H3V-3H8V3H3V8H-3V3H-8V-3H-3Z",
    "triangle-down": "M0,8L8.5,-7H-8.5Z",
    "triangle-right": "M8,0L-7,8.5V-8.5Z",
    "triangle-left": "M-8,0L7,8.5V-8.5Z",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark.

    Attributes:
        color: ``#8E5BD0``.
        path: As SVG has it, within a square from -10 to 10.
    """

    color: str
    path: str


def make_marks(looks: Mapping[str, Look]) -> dict[str, Mark]:
    """The mark of every model by its name."""
    return {name: Mark(look.color, _PATHS[look.shape]) for name, look in looks.items()}
