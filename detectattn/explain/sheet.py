"""The sheet of a picture: one row an object, beside it where each model looked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectattn.attention.maps import METHODS
from detectattn.attention.maps.cross_points import list_cross_points
from detectattn.drawing.boxes import DrawStyle
from detectattn.drawing.heat import LEVEL_COLORS, draw_heat, draw_heat_scale, draw_points, find_top
from detectattn.drawing.marked_boxes import Mark, MarkedBox, Strokes, draw_marked_boxes
from detectattn.drawing.palette import Rgb
from detectattn.drawing.sheet import Cell, Column, Key, draw_sheet
from detectattn.explain.objects import FoundObject
from detectattn.explain.picture import ExplainedPicture
from detectattn.types import F32, I32, U8

CELL_PX = 400
# The window around an object: so many times its box, and no less than this share of the picture.
_AROUND, _LEAST_SHARE = 3.0, 0.45
_KEY_PX = 14
# The object itself, whoever finds it: no family's colour.
_PLAIN_BOX: Rgb = (0xFF, 0xFF, 0xFF)


@dataclass(frozen=True, slots=True, eq=False)
class ModelOnSheet:
    """One model's part.

    Attributes:
        name: Its name.
        color: Its family's colour.
        method: The map that is shown.
        explained: What it explains in this picture.
        title: Of the map; None for the method's own.
        layer: The decoder layer whose sampling points are shown; None for the last, also where there is no such layer.
    """

    name: str
    color: Rgb
    method: str
    explained: ExplainedPicture
    title: str | None = None
    layer: int | None = None


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a picture that a row shows, in its pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def cut(self, pixels: U8) -> U8:
        return pixels[self.top : self.bottom, self.left : self.right]

    def shift(self, xyxy: F32) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = (float(v) for v in xyxy)
        return x0 - self.left, y0 - self.top, x1 - self.left, y1 - self.top


def draw_explained(
    bgr: U8, objects: Sequence[FoundObject], rows: Sequence[Sequence[int | None]], models: Sequence[ModelOnSheet]
) -> U8:
    """Draw the objects of a picture, and where each model looked for them.

    A model with deformable attention has a second column: its sampling points, dots sized by weight.

    Args:
        bgr: u8[H, W, 3], the upright picture.
        objects: Those of the rows, in order.
        rows: By object and model, the row of ``explained.detections``; None where the model does not find it.
        models: From left to right.

    Returns:
        New pixels, u8[H', W', 3].
    """
    columns = [Column("the picture")]
    for model in models:
        columns.append(Column(f"{model.name}: {model.title or METHODS[model.method].title}", model.color))
        if _has_points(model):
            columns.append(Column(f"{model.name}: sampling points", model.color))
    cells = [list(_draw_row(bgr, found, places, models)) for found, places in zip(objects, rows, strict=True)]
    return draw_sheet(columns, cells, list(_list_keys(models)), CELL_PX)


def _draw_row(bgr: U8, found: FoundObject, places: Sequence[int | None], models: Sequence[ModelOnSheet]) -> list[Cell]:
    window = _frame(found.xyxy, (bgr.shape[0], bgr.shape[1]))
    cells = [Cell(_with_box(bgr, window, found.xyxy, _PLAIN_BOX), (found.class_name + _tell(places),))]
    for model, place in zip(models, places, strict=True):
        if place is None:
            cells += [Cell(None, ("not found",))] * (2 if _has_points(model) else 1)
            continue
        cells.append(_draw_map(bgr, window, model, place))
        if _has_points(model):
            cells.append(_draw_cloud(bgr, window, model, place))
    return cells


def _tell(places: Sequence[int | None]) -> str:
    """Who finds an object."""
    finders = sum(place is not None for place in places)
    if len(places) == 1:
        return ""
    if finders == len(places):
        return ", found by both" if finders == 2 else f", found by all {finders}"
    return f", found by {finders} of {len(places)}"


def _draw_map(bgr: U8, window: _Window, model: ModelOnSheet, place: int) -> Cell:
    shown = model.explained.maps[model.method][place]
    score = model.explained.scores[model.method][place]
    drawn = draw_heat(bgr, shown.values, find_top(shown.values))
    detections = model.explained.detections
    inside = "no map" if np.isnan(score.energy) else f"{score.energy:.0%} inside the box"
    line = f"{detections.score[place]:.2f}{' (below the threshold)' if model.explained.below else ''} · {inside}"
    return Cell(_with_box(drawn, window, detections.xyxy[place], model.color), (line,))


def _draw_cloud(bgr: U8, window: _Window, model: ModelOnSheet, place: int) -> Cell:
    points = list_cross_points(model.explained.evidence, place)
    number = _pick_layer(points.layer, model.layer)
    there = points.layer == number
    shift = np.array([window.left, window.top], np.float32)
    detections = model.explained.detections
    cut = window.cut(bgr)
    drawn = draw_points(
        cut,
        points.xy[there] - shift,
        points.weight[there],
        points.level[there],
        _size_dots(detections.xyxy[place], cut),
    )
    assert detections.query_id is not None
    box = MarkedBox(window.shift(detections.xyxy[place]), "", None, Mark.FOUND)
    which = "last layer" if number == points.layer.max() else f"layer {number}"
    line = f"query {detections.query_id[place]}, {which}: {int(there.sum())} points"
    return Cell(draw_marked_boxes(drawn, [box], model.color, _strokes(drawn)), (line,))


def _pick_layer(layers: I32, wanted: int | None) -> int:
    return wanted if wanted is not None and (layers == wanted).any() else int(layers.max())


def _with_box(bgr: U8, window: _Window, xyxy: F32, color: Rgb) -> U8:
    cut = window.cut(bgr)
    return draw_marked_boxes(cut, [MarkedBox(window.shift(xyxy), "", None, Mark.FOUND)], color, _strokes(cut))


def _size_dots(xyxy: F32, bgr: U8) -> float:
    """Dots that leave something of a small object to be seen."""
    side = float((xyxy[2:] - xyxy[:2]).min())
    pixel = float(bgr.shape[1]) / CELL_PX
    return min(max(0.09 * side, 1.6 * pixel), 5 * pixel)


def _strokes(bgr: U8) -> Strokes:
    # The cell is scaled to its width afterwards.
    scale = bgr.shape[1] / CELL_PX
    return Strokes(max(1, round(DrawStyle().line_px((CELL_PX, CELL_PX)) * scale)), 0)


def _frame(xyxy: F32, picture_hw: tuple[int, int]) -> _Window:
    """A window of the picture's proportions around a box, inside the picture."""
    height, width = picture_hw
    x0, y0, x1, y1 = (float(v) for v in xyxy)
    share = min(1.0, max(_LEAST_SHARE, _AROUND * (x1 - x0) / width, _AROUND * (y1 - y0) / height))
    window_w, window_h = max(1, round(share * width)), max(1, round(share * height))
    left = round(min(max((x0 + x1 - window_w) / 2, 0), width - window_w))
    top = round(min(max((y0 + y1 - window_h) / 2, 0), height - window_h))
    return _Window(left, top, left + window_w, top + window_h)


def _has_points(model: ModelOnSheet) -> bool:
    return bool(model.explained.captured.record.cross_attention)


def _list_keys(models: Sequence[ModelOnSheet]) -> list[Key]:
    keys = [Key(draw_heat_scale(8 * _KEY_PX, _KEY_PX), "nothing … the map's brightest")]
    levels = max(
        (len(m.explained.captured.record.cross_attention[0].grid_hw) for m in models if _has_points(m)), default=0
    )
    for level in range(levels):
        swatch = np.empty((_KEY_PX, _KEY_PX, 3), np.uint8)
        swatch[:] = LEVEL_COLORS[level % len(LEVEL_COLORS)][::-1]
        rank = " (finest)" if level == 0 else " (coarsest)" if level == levels - 1 else ""
        keys.append(Key(swatch, f"points of level {level + 1}{rank}"))
    return keys
