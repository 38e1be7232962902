"""A sheet of small pictures in rows and columns, each with a line or two below it that says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from detectattn.drawing.fonts import clean_text
from detectattn.drawing.palette import Rgb
from detectattn.drawing.strips import GROUND, blank, paste
from detectattn.drawing.tiles import LabelText, draw_label, measure_label, shorten_name
from detectattn.types import U8

_EMPTY: Rgb = (0x2A, 0x2F, 0x36)
_TITLE_SIZES = (1.1, 1.0, 0.9, 0.8)
_GAP_SHARE, _TEXT_SHARE, _LEAST_TEXT_PX = 1 / 40, 1 / 24, 12


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet.

    Attributes:
        title: Above it.
        color: Of the square beside the title; None for none.
    """

    title: str
    color: Rgb | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A picture of a sheet.

    Attributes:
        bgr: u8[h, w, 3] of any size; None for an empty place.
        lines: Below it, at most two; in an empty place the first stands in its middle.
    """

    bgr: U8 | None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """An entry of a sheet's legend.

    Attributes:
        swatch: u8[h, w, 3].
        meaning: Beside it.
    """

    swatch: U8
    meaning: str


def draw_sheet(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], keys: Sequence[Key], cell_w: int) -> U8:
    """Draw cells under their columns' titles, over a legend.

    Args:
        columns: From left to right.
        rows: As many cells each as there are columns; a row is as high as its highest picture.
        keys: What the legend explains.
        cell_w: Width of a column in pixels; pictures are scaled to it.

    Returns:
        New pixels, u8[H, W, 3].
    """
    gap = max(4, round(cell_w * _GAP_SHARE))
    text_px = max(_LEAST_TEXT_PX, round(cell_w * _TEXT_SHARE))
    width = len(columns) * cell_w + (len(columns) + 1) * gap
    strips = [_draw_titles(columns, cell_w, gap, text_px, width)]
    for row in rows:
        strips += [_draw_row(row, cell_w, gap, text_px, width), blank(gap, width)]
    return np.concatenate([*strips, *_draw_keys(keys, text_px, gap, width)])


def _draw_titles(columns: Sequence[Column], cell_w: int, gap: int, text_px: int, width: int) -> U8:
    strip = blank(round(2.4 * text_px), width)
    side = round(0.8 * text_px)
    top = (len(strip) - side) // 2
    for k, column in enumerate(columns):
        x = gap + k * (cell_w + gap)
        if column.color is not None:
            strip[top : top + side, x : x + side] = column.color[::-1]
            x += side
        room = gap + k * (cell_w + gap) + cell_w - x
        paste(strip, _draw_text(column.title, _fit_size(column.title, text_px, room), room), x)
    return strip


def _fit_size(text: str, text_px: int, room: int) -> int:
    """A little larger than other text, or smaller where a title would be cut otherwise."""
    sizes = [round(share * text_px) for share in _TITLE_SIZES]
    label = clean_text(text) or "?"
    return next((px for px in sizes if measure_label(LabelText(label, "", px, 0))[0] <= room), sizes[-1])


def _draw_row(cells: Sequence[Cell], cell_w: int, gap: int, text_px: int, width: int) -> U8:
    pictures = [None if cell.bgr is None else _scale(cell.bgr, cell_w) for cell in cells]
    height = max([p.shape[0] for p in pictures if p is not None], default=cell_w // 2)
    lines = max((len(cell.lines) for cell, p in zip(cells, pictures, strict=True) if p is not None), default=0)
    pitch = round(1.45 * text_px)
    strip = blank(height + lines * pitch, width)
    for k, (cell, picture) in enumerate(zip(cells, pictures, strict=True)):
        x = gap + k * (cell_w + gap)
        if picture is None:
            strip[:height, x : x + cell_w] = _EMPTY[::-1]
            if cell.lines:
                tile = _draw_text(cell.lines[0], text_px, cell_w - text_px, _EMPTY)
                paste(strip[:height], tile, x + (cell_w - tile.shape[1]) // 2)
            continue
        strip[: picture.shape[0], x : x + cell_w] = picture
        for i, line in enumerate(cell.lines):
            paste(strip[height + i * pitch : height + (i + 1) * pitch], _draw_text(line, text_px, cell_w), x)
    return strip


def _draw_keys(keys: Sequence[Key], text_px: int, gap: int, width: int) -> list[U8]:
    strips: list[U8] = []
    x = width
    for key in keys:
        tile = _draw_text(key.meaning, text_px, max(1, width - 2 * gap - key.swatch.shape[1]))
        needed = key.swatch.shape[1] + tile.shape[1] + gap
        if x + needed > width:
            strips.append(blank(round(2.2 * text_px), width))
            x = gap
        paste(strips[-1], key.swatch, x)
        paste(strips[-1], tile, x + key.swatch.shape[1])
        x += needed
    return strips


def _draw_text(text: str, text_px: int, room: int, ground: Rgb = GROUND) -> U8:
    label = LabelText(clean_text(text) or "?", "", text_px, 0)
    if measure_label(label)[0] > room:
        label = LabelText(shorten_name(label.name, label, room), "", text_px, 0)
    return draw_label(label, ground)


def _scale(bgr: U8, width: int) -> U8:
    height = max(1, round(bgr.shape[0] * width / bgr.shape[1]))
    if bgr.shape[1] == width:
        return bgr
    how = cv2.INTER_AREA if width < bgr.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(bgr, (width, height), interpolation=how), np.uint8)
