"""Plots of one row a model or pair: a line of text above, figures below, on a shared horizontal axis.

A row is one unit high; its text stands at its top, so that long names need no margin and all of the width is left to
the figures, on a phone too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detectattn.report.plots.spec import Row, Spec, make_layer, quantity, text_channel

_HEAD_PX = 9
# Width of an average character of the font in pixels.
_CHARACTER_PX = 6.4


@dataclass(frozen=True, slots=True)
class RowHead:
    """The text above a row: what it is, and its figures at the right."""

    name: str
    figures: str


@dataclass(frozen=True, slots=True)
class RowGrid:
    """Rows of equal height.

    Attributes:
        count: How many.
        row_px: Height of each.
    """

    count: int
    row_px: int

    @property
    def height(self) -> int:
        """Of all rows, in pixels."""
        return self.count * self.row_px

    def at(self, row: int, pixels: float) -> float:
        """A place some pixels below the top of a row, in rows."""
        return round(row + pixels / self.row_px, 4)

    def y(self, field: str = "y") -> Spec:
        """The channel of places in rows."""
        scale = {"domain": [0, self.count], "reverse": True, "nice": False, "zero": False}
        return quantity(field, scale, shown=False)

    def heads(self, heads: Sequence[RowHead]) -> list[Spec]:
        """Layers with the text of each row."""
        rows: list[Row] = [
            {"y": self.at(i, _HEAD_PX), "name": head.name, "figures": head.figures} for i, head in enumerate(heads)
        ]
        room = round(max((len(head.figures) for head in heads), default=0) * _CHARACTER_PX) + 12
        limit = {"expr": f"max(90, width - {room})"}
        layers = [
            make_layer(
                "text", rows, {"y": self.y(), "x": {"value": 0}, "text": text_channel("name")},
                style="head", align="left", limit=limit,
            ),
            make_layer(
                "text", rows, {"y": self.y(), "x": {"value": "width"}, "text": text_channel("figures")},
                style="note", align="right",
            ),
        ]  # fmt: skip
        return layers if any(head.figures for head in heads) else layers[:1]
