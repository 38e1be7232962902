"""Boxes whose line says what became of an object: who else finds it, and whether it is right, wrong or missed.

The line never says it by colour alone: its width tells how many find the object, a filled corner that it is wrong,
dashes that it is missed, dots that it does not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import isfinite

import cv2
import numpy as np

from detectattn.drawing.families import WRONG_COLOR
from detectattn.drawing.fonts import clean_text
from detectattn.drawing.labels import place_labels
from detectattn.drawing.palette import Rgb, casing_color
from detectattn.drawing.tiles import LabelText, draw_label, measure_label, shorten_name
from detectattn.types import I32, U8

UNCOUNTED_COLOR: Rgb = (0xB4, 0xB4, 0xB4)
# A label is cut where it would be wider than this many em.
_WIDEST_LABEL_EM = 9
# Labels stop where they would hide more than this share of the picture: the lines say more than a wall of names.
_LABELLED_SHARE = 0.07
_LABELS_AT_LEAST = 3
_SMALL_TEXT = 0.8


class Mark(Enum):
    """What became of an object; the value is what a legend says."""

    ALL = "every model finds it"
    SOME = "some models find it"
    ONE = "only this model finds it"
    NONE = "no model finds it"
    FOUND = "found"
    WRONG = "wrong"
    MISSED = "missed"
    UNCOUNTED = "does not count"


@dataclass(frozen=True, slots=True)
class MarkedBox:
    """A box and what became of it.

    Attributes:
        xyxy: Left, top, right, bottom in pixels of the picture.
        name: Its class.
        score: None for ground truth.
        mark: How it is drawn.
    """

    xyxy: tuple[float, float, float, float]
    name: str
    score: float | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class _Look:
    """How a mark looks.

    Attributes:
        width: Of the line, in line widths.
        opacity: Of the line, 0 to 1.
        dash: Length of a dash and of a gap, in widths of the line; None for a whole line.
        cornered: Whether a corner is filled.
        priority: Later ones are drawn over earlier ones, and get their labels first; below 0 for no label.
        color: None for that of the panel.
    """

    width: float
    opacity: float
    dash: tuple[float, float] | None
    cornered: bool
    priority: int
    color: Rgb | None


_LOOKS = {
    Mark.UNCOUNTED: _Look(0.7, 0.6, (1.0, 1.5), False, -2, UNCOUNTED_COLOR),
    Mark.ALL: _Look(0.7, 0.6, None, False, -1, None),
    Mark.SOME: _Look(1.0, 1.0, None, False, 1, None),
    Mark.FOUND: _Look(1.0, 1.0, None, False, 1, None),
    Mark.MISSED: _Look(1.4, 1.0, (4.0, 2.5), False, 2, WRONG_COLOR),
    Mark.WRONG: _Look(1.4, 1.0, None, True, 3, WRONG_COLOR),
    Mark.NONE: _Look(2.0, 1.0, None, False, 4, None),
    Mark.ONE: _Look(2.0, 1.0, None, False, 4, None),
}


@dataclass(frozen=True, slots=True)
class Strokes:
    """How large everything is.

    Attributes:
        line_px: Width of a plain line.
        text_px: Height of the labels' em square; 0 for none.
    """

    line_px: int
    text_px: int


def draw_marked_boxes(bgr: U8, boxes: Sequence[MarkedBox], color: Rgb, strokes: Strokes) -> U8:
    """Draw boxes as their marks ask, the most telling on top, with labels on those that not all find.

    Args:
        bgr: u8[H, W, 3], left as it is.
        boxes: In pixels of the picture; those outside it, or that are not finite, are not drawn.
        color: Of what is neither wrong nor missed.
        strokes: How large lines and labels are.

    Returns:
        New pixels, u8[H, W, 3].
    """
    drawn = np.array(bgr, order="C")
    hw = (bgr.shape[0], bgr.shape[1])
    visible = sorted((b for b in boxes if _is_visible(b.xyxy, hw)), key=lambda b: _LOOKS[b.mark].priority)
    for box in visible:
        _draw_box(drawn, box, color, strokes.line_px)
    if strokes.text_px:
        surest = sorted(visible, key=_label_order)
        _draw_labels(drawn, surest, color, strokes)
    return drawn


def _label_order(box: MarkedBox) -> tuple[int, float]:
    """The most telling first, of equals the surest or, where no score is known, the largest."""
    x0, y0, x1, y1 = box.xyxy
    return -_LOOKS[box.mark].priority, -((x1 - x0) * (y1 - y0) if box.score is None else box.score)


def _is_visible(xyxy: tuple[float, float, float, float], hw: tuple[int, int]) -> bool:
    x0, y0, x1, y1 = xyxy
    inside = x0 < hw[1] and y0 < hw[0] and x1 > 0 and y1 > 0
    return all(isfinite(v) for v in xyxy) and x1 >= x0 and y1 >= y0 and inside


def _draw_box(bgr: U8, box: MarkedBox, color: Rgb, line_px: int) -> None:
    """Casing, then line, blended into the picture."""
    look = _LOOKS[box.mark]
    width = max(1, round(look.width * line_px))
    casing = max(1, round(0.35 * width))
    x0, y0, x1, y1 = _outer(box.xyxy, (bgr.shape[0], bgr.shape[1]), width // 2 + casing)
    width, casing = _thin(width, casing, min(x1 - x0, y1 - y0))
    target = bgr[y0:y1, x0:x1]
    size = x1 - x0, y1 - y0
    drawn = target.copy()
    bright = look.color or color
    bars = list(_iter_bars(size, width, casing, look.dash))
    for grown, shade in ((casing, casing_color(bright)), (0, bright)):
        for left, top, right, bottom in bars:
            corner = right + grown - 1, bottom + grown - 1
            cv2.rectangle(drawn, (left - grown, top - grown), corner, shade[::-1], cv2.FILLED)
    if look.cornered:
        _draw_corner(drawn, width, bright)
    target[:] = cv2.addWeighted(drawn, look.opacity, target, 1 - look.opacity, 0)


def _thin(width: int, casing: int, side: int) -> tuple[int, int]:
    """Lines that leave a third of a small box free, where one pixel does."""
    while width > 1 and side < 3 * (width + 2 * casing):
        width, casing = width - 1, 1
    return width, casing


def _outer(xyxy: tuple[float, float, float, float], hw: tuple[int, int], margin: int) -> tuple[int, int, int, int]:
    """What a box covers with its lines, within the picture; at least one pixel."""
    height, width = hw
    x0, y0 = (max(0, round(max(0.0, v)) - margin) for v in xyxy[:2])
    x1, y1 = (min(limit, round(min(limit, v)) + margin) for v, limit in zip(xyxy[2:], (width, height), strict=True))
    return min(x0, width - 1), min(y0, height - 1), max(x1, x0 + 1), max(y1, y0 + 1)


def _iter_bars(
    size_wh: tuple[int, int], width: int, casing: int, dash: tuple[float, float] | None
) -> Iterator[tuple[int, int, int, int]]:
    """The coloured parts of a frame that fills ``size_wh``: left, top, right, bottom (exclusive)."""
    right, bottom = size_wh[0] - casing, size_wh[1] - casing
    for start, end in _iter_dashes(casing, right, width, casing, dash):
        yield start, casing, end, casing + width
        yield start, bottom - width, end, bottom
    for start, end in _iter_dashes(casing, bottom, width, casing, dash):
        yield casing, start, casing + width, end
        yield right - width, start, right, end


def _iter_dashes(
    start: int, end: int, width: int, casing: int, dash: tuple[float, float] | None
) -> Iterator[tuple[int, int]]:
    """Evenly spread dashes, one at either end: of a small box the corners are left."""
    length = end - start
    if dash is None or length < 3:
        yield start, end
        return
    on = max(1.0, min(dash[0] * width, length / 3))
    # Two casings lie in every gap.
    off = max(1.0, min(dash[1] * width + 2 * casing, length / 3))
    count = max(2, round((length + off) / (on + off)))
    period = (length - on) / (count - 1)
    for k in range(count):
        left = round(start + k * period)
        yield left, left + max(1, round(on))


def _draw_corner(bgr: U8, width: int, color: Rgb) -> None:
    """Fill the corner at the top right: a box that is cut off is not of this object."""
    height, columns = bgr.shape[:2]
    side = max(2, min(8 * width, round(0.4 * min(height, columns))))
    corner = np.array([(columns - 1 - side, 0), (columns - 1, 0), (columns - 1, side)], np.int32)
    cv2.fillPoly(bgr, [corner], color[::-1])
    cv2.line(bgr, corner[0].tolist(), corner[2].tolist(), casing_color(color)[::-1], 1)


def _draw_labels(bgr: U8, boxes: Sequence[MarkedBox], color: Rgb, strokes: Strokes) -> None:
    hw = (bgr.shape[0], bgr.shape[1])
    casing = max(1, round(0.35 * strokes.line_px))
    margin = strokes.line_px // 2 + casing
    outer: I32 = np.array([_outer(b.xyxy, hw, margin) for b in boxes], np.int32).reshape(-1, 4)
    tiers = [[_to_label(b, px, score, casing, hw[1]) for b in boxes] for px, score in _tiers(strokes.text_px)]
    sizes = [
        # A label without pixels finds no place, but its box is not to be hidden either.
        np.array([(0, 0) if label is None else measure_label(label) for label in tier], np.int32).reshape(-1, 2)
        for tier in tiers
    ]
    placed = place_labels(outer, sizes, hw, casing).labels
    for spot in placed[: _count_affordable([p.xyxy for p in placed], hw)]:
        label = tiers[spot.tier][spot.row]
        if label is not None:
            left, top, right, bottom = spot.xyxy
            bgr[top:bottom, left:right] = draw_label(label, _LOOKS[boxes[spot.row].mark].color or color)


def _count_affordable(spots: Sequence[tuple[int, int, int, int]], hw: tuple[int, int]) -> int:
    """How many labels, from the first, leave enough of the picture to be seen."""
    hidden = np.cumsum([(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in spots])
    return max(_LABELS_AT_LEAST, int((hidden <= _LABELLED_SHARE * hw[0] * hw[1]).sum()))


def _tiers(text_px: int) -> list[tuple[int, bool]]:
    """Sizes of the em square with and without the score, best first."""
    return [(text_px, True), (text_px, False), (max(10, round(_SMALL_TEXT * text_px)), False)]


def _to_label(box: MarkedBox, text_px: int, with_score: bool, edge_px: int, width_px: int) -> LabelText | None:
    if _LOOKS[box.mark].priority < 0:
        return None
    score = f"{box.score:.2f}" if with_score and box.score is not None else ""
    label = LabelText(clean_text(box.name) or "?", score, text_px, edge_px)
    return LabelText(
        shorten_name(label.name, label, min(width_px, _WIDEST_LABEL_EM * text_px)), score, text_px, edge_px
    )
