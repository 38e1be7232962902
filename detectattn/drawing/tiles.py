"""A label as a small opaque picture: text on its class's colour, rendered once and kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np
from PIL import Image, ImageDraw

from detectattn.drawing.fonts import FontChoice, clean_text, split_runs
from detectattn.drawing.palette import Rgb, casing_color, text_color
from detectattn.types import U8

# In em: room around the text, and how far Latin letters rise and fall. Labels of one size are equally high for it.
_PAD_X, _PAD_TOP, _PAD_BOTTOM, _GAP = 0.36, 0.20, 0.10, 0.34
_ASCENT, _DESCENT = 0.74, 0.21
# Pillow's own font comes in one weight, too thin on a coloured ground: its names are drawn a little bolder and wider.
_EMBOLDEN, _TRACKING = 0.020, 0.028
# Below this size the dot of an i would melt into its stem.
_EMBOLDEN_FROM_PX = 8
_ELLIPSIS = "..."

# FreeType faces are shared between threads and not safe to use from two at once.
_FREETYPE = threading.Lock()


@dataclass(frozen=True, slots=True)
class LabelText:
    """What a label says, and how large.

    Attributes:
        name: The class.
        score: The score as it is shown, or an empty text.
        text_px: Height of the em square.
        edge_px: Width of the dark edge around the label.
    """

    name: str
    score: str
    text_px: int
    edge_px: int


@dataclass(frozen=True, slots=True, eq=False)
class _Word:
    """Rendered text: how much of each pixel it covers, u8[h, w], and the row of its baseline."""

    mask: U8
    baseline: int


@lru_cache(maxsize=4096)
def measure_label(label: LabelText) -> tuple[int, int]:
    """Width and height in pixels of the tile that :func:`draw_label` returns."""
    words = _words(label)
    sides = 2 * (label.edge_px + round(_PAD_X * label.text_px))
    width = sum(word.mask.shape[1] for word in words) + (len(words) - 1) * round(_GAP * label.text_px) + sides
    below = max(word.mask.shape[0] - word.baseline for word in words)
    return width, _baseline(label, words) + below + ceil(_PAD_BOTTOM * label.text_px) + label.edge_px


@lru_cache(maxsize=256)
def draw_label(label: LabelText, background: Rgb) -> U8:
    """The label as BGR pixels u8[h, w, 3], read-only."""
    width, height = measure_label(label)
    tile = np.empty((height, width, 3), np.uint8)
    tile[:] = casing_color(background)[::-1]
    edge = label.edge_px
    tile[edge : height - edge, edge : width - edge] = background[::-1]
    ramp = _color_ramp(background, text_color(background))
    words = _words(label)
    x, baseline = edge + round(_PAD_X * label.text_px), _baseline(label, words)
    for word in words:
        rows, columns = word.mask.shape
        top = baseline - word.baseline
        tile[top : top + rows, x : x + columns] = ramp[word.mask]
        x += columns + round(_GAP * label.text_px)
    tile.flags.writeable = False
    return tile


def _words(label: LabelText) -> tuple[_Word, ...]:
    name = _draw_word(clean_text(label.name), label.text_px, 1.0)
    return (name, _draw_word(label.score, label.text_px, 1 / 3)) if label.score else (name,)


def _baseline(label: LabelText, words: tuple[_Word, ...]) -> int:
    return label.edge_px + round(_PAD_TOP * label.text_px) + max(word.baseline for word in words)


@lru_cache(maxsize=4096)
def shorten_name(name: str, label: LabelText, width_px: int) -> str:
    """``name``, cut so that a label like ``label`` is no wider than ``width_px``; never empty."""
    if measure_label(LabelText(name, label.score, label.text_px, label.edge_px))[0] <= width_px:
        return name
    low, high = 1, len(name)
    while low < high:
        middle = (low + high + 1) // 2
        cut = LabelText(name[:middle].rstrip() + _ELLIPSIS, label.score, label.text_px, label.edge_px)
        low, high = (middle, high) if measure_label(cut)[0] <= width_px else (low, middle - 1)
    return name[:low].rstrip() + _ELLIPSIS


@lru_cache(maxsize=1024)
def _draw_word(text: str, text_px: int, weight: float) -> _Word:
    """Render ``text``; ``weight`` says how much of the emboldening it gets."""
    scale = _supersampling(text_px)
    em = text_px * scale
    stroke = weight * min(_EMBOLDEN * em, 0.04 * max(0, text_px - _EMBOLDEN_FROM_PX) * scale)
    with _FREETYPE:
        parts = [(part, choice.file is None, choice.load()) for part, choice in _iter_parts(text, em)]
        extents = [font.getbbox(part, anchor="ls") for part, _, font in parts]
        advances = [font.getlength(part) + (_TRACKING * em if own else 0.0) for part, own, font in parts]
        ascent = ceil(max([_ASCENT * em, *(-top for _, top, _, _ in extents)]) / scale)
        descent = ceil(max([_DESCENT * em, *(bottom for *_, bottom in extents)]) / scale)
        size = max(1, ceil(sum(advances) / scale)) * scale, (ascent + descent) * scale
        mask = Image.new("L", size, 0)
        canvas = ImageDraw.Draw(mask)
        x = 0.0
        for (part, own, font), advance in zip(parts, advances, strict=True):
            canvas.text((x, ascent * scale), part, 255, font, anchor="ls", stroke_width=stroke if own else stroke / 2)
            x += advance
    return _Word(np.asarray(mask.reduce(scale)), ascent)


def _iter_parts(text: str, em: int) -> Iterator[tuple[str, FontChoice]]:
    """What is drawn in one go: a letter of Pillow's own font, which is spaced here, or a whole run of another."""
    for run, choice in split_runs(text, em) if text else ():
        if choice.file is None:
            yield from ((letter, choice) for letter in run)
        else:
            yield run, choice


def _supersampling(text_px: int) -> int:
    """Small text is drawn larger and reduced: hinting would space its letters unevenly."""
    return 4 if text_px < 32 else 2 if text_px < 64 else 1


def _color_ramp(background: Rgb, foreground: Rgb) -> U8:
    """Colours from background to foreground by coverage, u8[256, 3] BGR."""
    share = np.linspace(0, 1, 256)[:, None]
    ramp = np.array(background[::-1]) * (1 - share) + np.array(foreground[::-1]) * share
    return np.asarray(ramp.round(), np.uint8)
