"""Where labels of points go so that none lies on another label or point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_CHARACTER_PX = 6.9
_LINE_PX = 15.0
_POINT_PX = 7.0


@dataclass(frozen=True, slots=True)
class LabelPlace:
    """Where a label stands beside its point: horizontal alignment, and pixels to the right and down."""

    align: str
    dx: float
    dy: float


# Bars and lines run from points along the axes: labels stand aside of them where they can.
_PLACES = (
    LabelPlace("left", 8, -11),
    LabelPlace("right", -8, -11),
    LabelPlace("left", 8, 12),
    LabelPlace("right", -8, 12),
    LabelPlace("left", 12, 0),
    LabelPlace("right", -12, 0),
    LabelPlace("center", 0, -16),
    LabelPlace("center", 0, 16),
    LabelPlace("left", 8, -27),
    LabelPlace("right", -8, -27),
    LabelPlace("left", 8, 28),
    LabelPlace("right", -8, 28),
)

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


def place_labels(
    points: Sequence[tuple[float, float]],
    labels: Sequence[str],
    width: float,
    height: float,
    bars: Sequence[Box] = (),
) -> tuple[LabelPlace | None, ...]:
    """A place for each label, the first ones first; None where there is no room.

    A label lies on a bar only where there is no room elsewhere.

    Args:
        points: Pixels from the left and from the top.
        labels: What is written there.
        width: Of the plot.
        height: Of the plot.
        bars: What else is drawn: left, top, right and bottom of each.
    """
    taken: list[Box] = [(x - _POINT_PX, y - _POINT_PX, x + _POINT_PX, y + _POINT_PX) for x, y in points]
    chosen: list[LabelPlace | None] = []
    for i, (point, label) in enumerate(zip(points, labels, strict=True)):
        others = taken[:i] + taken[i + 1 :]
        free = [p for p in _PLACES if _is_free(_cover(point, label, p), others, width, height)]
        clear = (p for p in free if _is_free(_cover(point, label, p), bars, width, height))
        place = next(clear, free[0] if free else None)
        chosen.append(place)
        if place is not None:
            taken.append(_cover(point, label, place))
    return tuple(chosen)


def label_px(label: str) -> float:
    """About how long a label is, in pixels."""
    return len(label) * _CHARACTER_PX


def _cover(point: tuple[float, float], label: str, place: LabelPlace) -> Box:
    length = label_px(label)
    x, y = point[0] + place.dx, point[1] + place.dy
    left = {"left": x, "center": x - length / 2, "right": x - length}[place.align]
    return left, y - _LINE_PX / 2, left + length, y + _LINE_PX / 2


def _is_free(box: Box, others: Sequence[Box], width: float, height: float) -> bool:
    left, top, right, bottom = box
    if left < 0 or top < 0 or right > width or bottom > height:
        return False
    return all(right <= o[0] or left >= o[2] or bottom <= o[1] or top >= o[3] for o in others)
