"""Maps over pictures: bright where a model looked, the picture legible everywhere."""

from __future__ import annotations

import cv2
import numpy as np

from detectattn.drawing.palette import Rgb, casing_color
from detectattn.types import F32, I32, U8

LEVEL_COLORS: tuple[Rgb, ...] = ((0xFD, 0xE7, 0x25), (0x44, 0xC8, 0x8C), (0x3A, 0x9B, 0xDC), (0xB0, 0x7A, 0xE8))
"""Of sampling points by level of the feature pyramid, finest first: lighter is finer."""

# What is left of the picture's colour and light beneath a map: enough to know it, too little to be mistaken for it.
_COLOR_KEPT, _LIGHT_KEPT = 0.25, 0.62
_MOST_OPAQUE = 0.82
# The brightest few pixels of a peaked map would leave all others dark.
_TOP_QUANTILE = 0.997
_LARGEST_DOT = 1 / 90
_SUBPIXEL_BITS = 4


def find_top(values: F32) -> float:
    """The value that is drawn brightest: nearly the largest; 0 for a map that is nothing anywhere."""
    most = float(values.max(initial=0.0))
    return max(float(np.quantile(values, _TOP_QUANTILE)), 0.5 * most) if values.size else 0.0


def dim(bgr: U8) -> U8:
    """A picture u8[H, W, 3] as the ground of a map: darker, with little colour."""
    grey = cv2.cvtColor(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    dimmed = cv2.addWeighted(bgr, _COLOR_KEPT * _LIGHT_KEPT, grey, (1 - _COLOR_KEPT) * _LIGHT_KEPT, 0)
    return np.asarray(dimmed, np.uint8)


def draw_heat(bgr: U8, values: F32, top: float | None = None) -> U8:
    """A map over its picture, in the perceptually uniform scale *inferno*; nothing is transparent.

    Args:
        bgr: u8[H, W, 3], left as it is.
        values: f32[h, w], not negative, of the whole picture, at any size.
        top: The value that is drawn brightest; by default :func:`find_top`.

    Returns:
        New pixels, u8[H, W, 3].
    """
    top = find_top(values) if top is None else top
    if top <= 0:
        return dim(bgr)
    share = np.clip(values / top, 0, 1).astype(np.float32)
    share = np.asarray(cv2.resize(share, (bgr.shape[1], bgr.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)
    color = cv2.applyColorMap((share * 255).round().astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = (_MOST_OPAQUE * np.sqrt(share))[..., None]
    blended = dim(bgr) * (1 - opacity) + color * opacity
    return np.asarray(blended.round(), np.uint8)


def draw_heat_scale(width: int, height: int) -> U8:
    """The scale of :func:`draw_heat` from nothing (left) to the brightest, over a mid grey: u8[height, width, 3]."""
    ground = np.full((height, width, 3), 128, np.uint8)
    return draw_heat(ground, np.broadcast_to(np.linspace(0, 1, width, dtype=np.float32), (height, width)), 1.0)


def draw_points(bgr: U8, xy: F32, weight: F32, level: I32, largest_px: float | None = None) -> U8:
    """Sampling points over a dimmed picture: area by weight, colour by level, the heaviest on top.

    Args:
        bgr: u8[H, W, 3], left as it is.
        xy: f32[N, 2] in its pixels; points outside it are not drawn.
        weight: f32[N], not negative.
        level: i32[N], 0 for the finest.
        largest_px: Radius of the heaviest point; by default a ninetieth of the picture's longer side.

    Returns:
        New pixels, u8[H, W, 3].
    """
    drawn = dim(bgr)
    largest = max(2.5, _LARGEST_DOT * max(bgr.shape[:2])) if largest_px is None else largest_px
    most = float(weight.max(initial=0.0))
    unit = 1 << _SUBPIXEL_BITS
    for i in np.argsort(weight, kind="stable").tolist():
        x, y = xy[i].tolist()
        if weight[i] <= 0 or not (0 <= x <= bgr.shape[1] and 0 <= y <= bgr.shape[0]):
            continue
        radius = max(0.6, largest * float(np.sqrt(weight[i] / most)))
        center = round((x - 0.5) * unit), round((y - 0.5) * unit)
        color = LEVEL_COLORS[int(level[i]) % len(LEVEL_COLORS)]
        for grown, shade in ((max(0.6, 0.2 * radius), casing_color(color)), (0.0, color)):
            size = round((radius + grown) * unit)
            cv2.circle(drawn, center, size, shade[::-1], cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)
    return drawn
