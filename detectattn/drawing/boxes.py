"""Boxes and labels on a picture: thin crisp lines with a dark casing, text that fits the picture's size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np

from detectattn.drawing.fonts import clean_text
from detectattn.drawing.labels import LabelLayout, place_labels
from detectattn.drawing.palette import Rgb, casing_color, class_color
from detectattn.drawing.tiles import LabelText, draw_label, measure_label, shorten_name
from detectattn.types import I32, U8, Detections

# Of the square root of the picture's area: what reads well when the picture fills a screen.
_TEXT_SHARE, _LINE_SHARE = 0.0185, 0.0015
# One pixel is too thin from about 500 pixels on, and twice the share too heavy on a photograph.
_LINE_BASE_PX = 0.7
_TEXT_FLOOR_PX = 11
_SMALL_TEXT = 0.8
# A long class name is cut where its label would be wider than this share of the picture, if that is this many em.
_WIDEST_LABEL, _WIDEST_LABEL_EM = 0.6, 14


@dataclass(frozen=True, slots=True)
class DrawStyle:
    """How detections are drawn.

    Attributes:
        line_scale: Factor on the line width that follows from the picture's size.
        text_scale: Factor on the text size that follows from the picture's size.
        show_labels: Whether boxes are labelled at all.
        show_scores: Whether labels carry the score.
        one_color: Draws every box in this colour, such as a model family's; None gives each class its own.
    """

    line_scale: float = 1.0
    text_scale: float = 1.0
    show_labels: bool = True
    show_scores: bool = True
    one_color: Rgb | None = None

    def line_px(self, picture_hw: tuple[int, int]) -> int:
        """Width of a box's coloured line."""
        fitting = _LINE_BASE_PX + _LINE_SHARE * sqrt(picture_hw[0] * picture_hw[1])
        return max(1, round(self.line_scale * fitting))

    def casing_px(self, picture_hw: tuple[int, int]) -> int:
        """Width of the dark casing on either side of the line."""
        return max(1, round(0.35 * self.line_px(picture_hw)))

    def text_px(self, picture_hw: tuple[int, int]) -> int:
        """Height of the text's em square."""
        fitting = _TEXT_SHARE * sqrt(picture_hw[0] * picture_hw[1])
        return max(4, round(self.text_scale * max(_TEXT_FLOOR_PX, fitting)))


def draw_detections(
    bgr: U8, detections: Detections, class_names: Mapping[int, str], style: DrawStyle | None = None
) -> U8:
    """Draw every detection's box and, where there is a free place, its label.

    May be called from several threads.

    Args:
        bgr: u8[H, W, 3], left as it is.
        detections: Boxes in pixels of the picture, surest first; those outside it are not drawn.
        class_names: Name by class index; a class without one is drawn as ``class 7``.
        style: How to draw; None for the defaults.

    Returns:
        New pixels, u8[H, W, 3].
    """
    style = style or DrawStyle()
    drawn = np.array(bgr, order="C")
    picture_hw = (bgr.shape[0], bgr.shape[1])
    rows, boxes = _outer_boxes(detections, picture_hw, style)
    names = [class_names.get(int(c), f"class {int(c)}") for c in detections.class_id[rows]]
    colors = [style.one_color or class_color(name) for name in names]
    for box, color in zip(boxes[::-1].tolist(), colors[::-1], strict=True):
        _draw_box(drawn, box, color, style.line_px(picture_hw), style.casing_px(picture_hw))
    if style.show_labels and len(boxes):
        tiers = _label_tiers(names, detections.score[rows].tolist(), picture_hw, style)
        _draw_labels(drawn, boxes, tiers, colors, style.casing_px(picture_hw))
    return drawn


def _outer_boxes(detections: Detections, picture_hw: tuple[int, int], style: DrawStyle) -> tuple[I32, I32]:
    """Rows that can be drawn, and what each covers with its lines, i32[N, 4], within the picture."""
    height, width = picture_hw
    xyxy = detections.xyxy
    visible = np.isfinite(xyxy).all(axis=1)
    visible &= (xyxy[:, 2] >= xyxy[:, 0]) & (xyxy[:, 3] >= xyxy[:, 1])
    visible &= (xyxy[:, 2] > 0) & (xyxy[:, 3] > 0) & (xyxy[:, 0] < width) & (xyxy[:, 1] < height)
    rows = np.flatnonzero(visible).astype(np.int32)
    margin = style.line_px(picture_hw) // 2 + style.casing_px(picture_hw)
    limits = np.array([width, height, width, height])
    outer = np.round(np.clip(xyxy[rows], 0, limits)).astype(np.int32) + np.array([-margin, -margin, margin, margin])
    return rows, np.clip(outer, 0, limits).astype(np.int32)


def _draw_box(bgr: U8, box: list[int], color: Rgb, line_px: int, casing_px: int) -> None:
    """Casing, line, casing, from the outside in; a box too small for all that gets the thinnest lines."""
    if min(box[2] - box[0], box[3] - box[1]) < 4 * (line_px + 2 * casing_px):
        line_px = casing_px = 1
    dark, bright = casing_color(color)[::-1], color[::-1]
    _draw_band(bgr, box, 0, line_px + 2 * casing_px, dark)
    _draw_band(bgr, box, casing_px, line_px, bright)


def _draw_band(bgr: U8, box: list[int], inset: int, width: int, color: Rgb) -> None:
    """A frame ``width`` pixels wide, ``inset`` pixels inside the box; square corners, no smoothing."""
    x0, y0, x1, y1 = box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset
    if x1 <= x0 or y1 <= y0:
        return
    right, bottom = max(x0, x1 - width), max(y0, y1 - width)
    for left_top, right_bottom in (
        ((x0, y0), (x1, min(y1, y0 + width))),
        ((x0, bottom), (x1, y1)),
        ((x0, y0), (min(x1, x0 + width), y1)),
        ((right, y0), (x1, y1)),
    ):
        cv2.rectangle(bgr, left_top, (right_bottom[0] - 1, right_bottom[1] - 1), color, cv2.FILLED)


def _label_tiers(
    names: list[str], scores: list[float], picture_hw: tuple[int, int], style: DrawStyle
) -> list[list[LabelText]]:
    """Each box's label in full, without its score, and small without its score."""
    edge, large = style.casing_px(picture_hw), style.text_px(picture_hw)
    small = max(min(large, _TEXT_FLOOR_PX - 1), round(large * _SMALL_TEXT))
    variants = [(style.show_scores, large), (False, large), (False, small)]
    tiers: list[list[LabelText]] = []
    for with_score, text_px in variants if style.show_scores else variants[1:]:
        texts = [f"{score:.2f}" if with_score else "" for score in scores]
        width_px = min(picture_hw[1], max(round(_WIDEST_LABEL * picture_hw[1]), _WIDEST_LABEL_EM * text_px))
        tiers.append([_fitted(name, text, text_px, edge, width_px) for name, text in zip(names, texts, strict=True)])
    return tiers


def _fitted(name: str, score: str, text_px: int, edge_px: int, width_px: int) -> LabelText:
    name = clean_text(name) or "?"
    label = LabelText(name, score, text_px, edge_px)
    return LabelText(shorten_name(name, label, width_px), score, text_px, edge_px)


def _draw_labels(bgr: U8, boxes: I32, tiers: list[list[LabelText]], colors: list[Rgb], seam_px: int) -> LabelLayout:
    sizes = [np.array([measure_label(label) for label in tier], np.int32).reshape(-1, 2) for tier in tiers]
    layout = place_labels(boxes, sizes, (bgr.shape[0], bgr.shape[1]), seam_px)
    for placed in layout.labels:
        left, top, right, bottom = placed.xyxy
        bgr[top:bottom, left:right] = draw_label(tiers[placed.tier][placed.row], colors[placed.row])
    return layout
