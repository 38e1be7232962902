"""One picture several times side by side: what each model finds in it, beside what is really there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt

import cv2
import numpy as np

from detectattn.drawing.boxes import DrawStyle
from detectattn.drawing.fonts import clean_text
from detectattn.drawing.marked_boxes import Mark, MarkedBox, Strokes, draw_marked_boxes
from detectattn.drawing.palette import Rgb
from detectattn.drawing.strips import GROUND, blank, paste
from detectattn.drawing.tiles import LabelText, draw_label, measure_label
from detectattn.types import U8

MAX_PANEL_PX = 960
_MIN_PANEL_PX = 280
_MAX_COLUMNS = 3
# A picture this many times as high as its panel is wide is scaled to fit, so that no panel is a page long.
_MAX_PROPORTION = 1.5
_LARGEST_ENLARGEMENT = 8

_SWATCH_GROUND: Rgb = (0x4A, 0x4F, 0x55)
_NEUTRAL: Rgb = (0xE6, 0xE6, 0xE6)
# Of the whole width: text that is read when the picture is as wide as a page.
_TEXT_SHARE = 1 / 96
_TEXT_MIN_PX = 13
_LEGEND_ORDER = (Mark.ONE, Mark.NONE, Mark.SOME, Mark.ALL, Mark.WRONG, Mark.MISSED, Mark.UNCOUNTED)


# Where one model stands alone, "every model" would be an odd name for it.
_MEANING_ALONE = {Mark.ALL: "found", Mark.NONE: "not found"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One model's view of a picture, or the ground truth.

    Attributes:
        title: The model's name.
        color: Its family's colour.
        boxes: In pixels of the picture, before it is scaled.
        is_truth: Whether this is what is really there.
    """

    title: str
    color: Rgb
    boxes: tuple[MarkedBox, ...]
    is_truth: bool = False


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything goes, in pixels."""

    columns: int
    rows: int
    picture_wh: tuple[int, int]
    cell_w: int
    gap: int
    text_px: int
    width: int


def draw_side_by_side(
    bgr: U8, panels: Sequence[Panel], max_panel_px: int = MAX_PANEL_PX, show_legend: bool = True
) -> U8:
    """Draw one panel each, with its title, in a row of up to three or else in a grid, over a legend.

    Args:
        bgr: u8[H, W, 3], left as it is.
        panels: At least one, from left to right and top to bottom.
        max_panel_px: Width at which a larger picture is shown; a tiny one is enlarged.
        show_legend: Whether to say below what the lines mean.

    Returns:
        New pixels, u8[H', W', 3]; the same for the same input.

    Raises:
        ValueError: There is no panel.
    """
    if not panels:
        raise ValueError("there is nothing to show side by side")
    layout = _plan((bgr.shape[0], bgr.shape[1]), len(panels), max_panel_px)
    shown = _scale(bgr, layout.picture_wh)
    factor = layout.picture_wh[0] / bgr.shape[1], layout.picture_wh[1] / bgr.shape[0]
    judged = any(panel.is_truth for panel in panels)
    cells = [_draw_cell(shown, panel, judged, factor, layout) for panel in panels]
    rows = [_join_row(cells[i : i + layout.columns], layout) for i in range(0, len(cells), layout.columns)]
    parts = [part for row in rows for part in (row, blank(layout.gap, layout.width))][:-1]
    if show_legend:
        parts.extend(_draw_legend(panels, layout))
    return np.concatenate(parts)


def _plan(picture_hw: tuple[int, int], panels: int, max_panel_px: int) -> _Layout:
    columns = min(panels, _MAX_COLUMNS) if panels <= _MAX_COLUMNS else min(_MAX_COLUMNS, ceil(sqrt(panels)))
    height, width = picture_hw
    fit = min(max_panel_px / width, _MAX_PROPORTION * max_panel_px / height)
    least = min(_LARGEST_ENLARGEMENT, _MIN_PANEL_PX / max(width, height))
    scale = min(fit, max(1.0, least))
    picture_wh = max(1, round(width * scale)), max(1, round(height * scale))
    cell_w = max(picture_wh[0], min(_MIN_PANEL_PX, max_panel_px))
    gap = max(4, round(cell_w / 120))
    total = columns * cell_w + (columns - 1) * gap
    text_px = max(_TEXT_MIN_PX, round(total * _TEXT_SHARE))
    return _Layout(columns, ceil(panels / columns), picture_wh, cell_w, gap, text_px, total)


def _scale(bgr: U8, wh: tuple[int, int]) -> U8:
    if (bgr.shape[1], bgr.shape[0]) == wh:
        return bgr
    smaller = wh[0] * wh[1] < bgr.shape[0] * bgr.shape[1]
    scaled = cv2.resize(bgr, wh, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return np.asarray(scaled, np.uint8)


def _draw_cell(shown: U8, panel: Panel, judged: bool, factor: tuple[float, float], layout: _Layout) -> U8:
    """A title over the picture, which is centred where it is narrower than its cell."""
    fx, fy = factor
    boxes = [replace(b, xyxy=(b.xyxy[0] * fx, b.xyxy[1] * fy, b.xyxy[2] * fx, b.xyxy[3] * fy)) for b in panel.boxes]
    line_px = DrawStyle(line_scale=sqrt(layout.columns)).line_px((shown.shape[0], shown.shape[1]))
    strokes = Strokes(line_px, max(11, round(0.75 * layout.text_px)))
    drawn = draw_marked_boxes(shown, boxes, panel.color, strokes)
    spare = layout.cell_w - drawn.shape[1]
    sides = [blank(drawn.shape[0], width) for width in (spare // 2, spare - spare // 2)]
    return np.concatenate([_draw_title(panel, judged, layout), np.concatenate([sides[0], drawn, sides[1]], axis=1)])


def _draw_title(panel: Panel, judged: bool, layout: _Layout) -> U8:
    """A square in the panel's colour, its name, and what it counts."""
    text_px = layout.text_px
    room = layout.cell_w - round(1.5 * text_px)
    tile = draw_label(_fit_title(panel, judged, text_px, room), GROUND)
    strip = blank(round(1.9 * text_px), layout.cell_w)
    side = round(0.8 * text_px)
    top = (len(strip) - side) // 2
    strip[top : top + side, round(0.5 * text_px) : round(0.5 * text_px) + side] = panel.color[::-1]
    paste(strip, tile, round(1.3 * text_px))
    return strip


def _fit_title(panel: Panel, judged: bool, text_px: int, room: int) -> LabelText:
    """Name and counts, with ever fewer counts and then ever less of the name, until they fit."""
    name = clean_text(panel.title) or "?"
    notes = _notes(panel, judged)
    for note in notes[:-1]:
        label = LabelText(name, note, text_px, 0)
        if measure_label(label)[0] <= room:
            return label
    return LabelText(_shorten_middle(name, notes[-1], text_px, room), notes[-1], text_px, 0)


def _notes(panel: Panel, judged: bool) -> list[str]:
    """What a title counts: in full, then ever less, the bare number of boxes at last."""
    counts = Counter(box.mark for box in panel.boxes)
    boxes = sum(counts.values()) - counts[Mark.MISSED] - counts[Mark.UNCOUNTED]
    if panel.is_truth:
        total = f"{boxes} object" + ("" if boxes == 1 else "s")
        lost = f", {counts[Mark.NONE]} not found" if counts[Mark.NONE] else ""
        return [total + lost, total, str(boxes)]
    total = f"{boxes} box" + ("" if boxes == 1 else "es")
    if not judged:
        alone = f", {counts[Mark.ONE]} only here" if counts[Mark.ONE] else ""
        return [total + alone, total, str(boxes)]
    right = f"{boxes - counts[Mark.WRONG]} right"
    alone = f" ({counts[Mark.ONE]} only here)" if counts[Mark.ONE] else ""
    failed = f", {counts[Mark.WRONG]} wrong, {counts[Mark.MISSED]} missed"
    return [right + alone + failed, right + failed, total, str(boxes)]


def _shorten_middle(name: str, note: str, text_px: int, room: int) -> str:
    """The start and the end of a name: variants of one model differ at their end."""
    if measure_label(LabelText(name, note, text_px, 0))[0] <= room:
        return name
    low, high = 2, len(name)
    while low < high:
        kept = (low + high + 1) // 2
        fits = measure_label(LabelText(_cut_middle(name, kept), note, text_px, 0))[0] <= room
        low, high = (kept, high) if fits else (low, kept - 1)
    return _cut_middle(name, low)


def _cut_middle(name: str, kept: int) -> str:
    tail = kept // 2
    return f"{name[: kept - tail].rstrip()}...{name[len(name) - tail :].lstrip()}"


def _join_row(cells: Sequence[U8], layout: _Layout) -> U8:
    """Cells with gaps between them; a last row that is not full ends in an empty ground."""
    height = cells[0].shape[0]
    parts = [part for cell in cells for part in (cell, blank(height, layout.gap))][:-1]
    missing = layout.width - sum(part.shape[1] for part in parts)
    return np.concatenate([*parts, blank(height, missing)], axis=1)


def _draw_legend(panels: Sequence[Panel], layout: _Layout) -> list[U8]:
    """A line or more that show each kind of box that occurs, and say what it means."""
    used = {box.mark for panel in panels for box in panel.boxes}
    truth = next((panel.color for panel in panels if panel.is_truth), _NEUTRAL)
    renamed = _MEANING_ALONE if sum(not panel.is_truth for panel in panels) == 1 else {}
    entries = [
        _draw_entry(mark, renamed.get(mark, mark.value), truth if mark is Mark.NONE else _NEUTRAL, layout)
        for mark in _LEGEND_ORDER
        if mark in used
    ]
    lines: list[U8] = []
    x = layout.width
    for entry in entries:
        if x + entry.shape[1] > layout.width:
            lines.append(blank(round(2.1 * layout.text_px), layout.width))
            x = 0
        width = min(entry.shape[1], layout.width - x)
        paste(lines[-1], entry[:, :width], x)
        x += width
    return lines


def _draw_entry(mark: Mark, meaning: str, color: Rgb, layout: _Layout) -> U8:
    """A small box as the mark draws it, and its meaning."""
    text_px = round(0.9 * layout.text_px)
    swatch = np.empty((round(1.5 * text_px), round(2.3 * text_px), 3), np.uint8)
    swatch[:] = _SWATCH_GROUND[::-1]
    edge = 0.15 * text_px
    inside = (edge, edge, swatch.shape[1] - edge, swatch.shape[0] - edge)
    line_px = max(1, round(text_px / 11))
    swatch = draw_marked_boxes(swatch, [MarkedBox(inside, "", None, mark)], color, Strokes(line_px, 0))
    tile = draw_label(LabelText(meaning, "", text_px, 0), GROUND)
    entry = blank(max(len(tile), len(swatch)), round(0.6 * text_px) + swatch.shape[1] + tile.shape[1])
    paste(entry, swatch, round(0.6 * text_px))
    paste(entry, tile, round(0.6 * text_px) + swatch.shape[1])
    return entry
