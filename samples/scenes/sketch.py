"""Draw one object with supersampling: from outlines in metres to a sprite of pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from .outlines import F64
from .pixels import U8, blur
from .texture import crop_tile

T = TypeVar("T", bound=np.generic)
Bgr = tuple[int, int, int]

_SHIFT = 4
_ONE = 1 << _SHIFT


@dataclass(frozen=True, slots=True)
class Pose:
    """Where an object lies in the picture: centre in pixels, heading in radians, scale in pixels a metre."""

    x: float
    y: float
    heading: float
    ppm: float

    def to_px(self, outline: F64) -> F64:
        """Points of the object's own frame, in metres, as pixels of the picture."""
        c, s = math.cos(self.heading) * self.ppm, math.sin(self.heading) * self.ppm
        x, y = outline[:, 0], outline[:, 1]
        return np.stack([self.x + (x * c - y * s), self.y + (x * s + y * c)], axis=1)


@dataclass(frozen=True, slots=True)
class Sprite:
    """Pixels to put over a picture.

    Attributes:
        bgr: u8[h, w, 3].
        alpha: u8[h, w], coverage.
        corner_xy: The picture's pixel on which the sprite's top left one falls.
        whole_px: Covered pixels of the whole object, the part beyond the picture's edges included.
    """

    bgr: U8
    alpha: U8
    corner_xy: tuple[int, int]
    whole_px: int


@dataclass(frozen=True, slots=True)
class Lamp:
    """A light on an object.

    Attributes:
        x: Place ahead of the object's centre, in metres.
        y: Place to the right, in metres.
        radius: Of the bulb, in metres.
        bgr: Colour.
        beam: How far it lights the ground ahead, in metres; below 0 the radius of a pool of light; 0 for a glow alone.
        always: Whether it shines by day.
    """

    x: float
    y: float
    radius: float
    bgr: Bgr
    beam: float = 0.0
    always: bool = False


@dataclass(slots=True)
class Sketch:
    """An object as outlines in metres, in drawing order, in its own frame (x forward, y to the right).

    Attributes:
        height: How high it stands, in metres; its shadow's length follows from it.
        bodies: Silhouettes; what is drawn outside them does not show.
        paints: Outlines with colours.
        reliefs: Outlines with a height from 0 to 255; edges that face the sun become lighter, others darker.
        lamps: Lights.
        gloss: Strength of the relief's light and shade.
        grain: Strength of a fine grain on its surface, 0 for none.
        round_m: Over which distance a relief's edges are rounded, in metres.
    """

    height: float
    bodies: list[F64] = field(default_factory=list)
    paints: list[tuple[F64, Bgr]] = field(default_factory=list)
    reliefs: list[tuple[F64, int]] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    gloss: float = 1.0
    round_m: float = 0.18
    grain: int = 0

    def body(self, outline: F64, bgr: Bgr, level: int | None = None) -> None:
        """A part of the silhouette, in a colour, with a relief of its own where ``level`` says so."""
        self.bodies.append(outline)
        self.paint(outline, bgr, level)

    def paint(self, outline: F64, bgr: Bgr, level: int | None = None) -> None:
        """A part within the silhouette."""
        self.paints.append((outline, bgr))
        if level is not None:
            self.reliefs.append((outline, level))

    def render(self, pose: Pose, hw: tuple[int, int], sun_xy: tuple[float, float]) -> Sprite | None:
        """The object's pixels within a picture of ``hw``, lit along ``sun_xy``; None where nothing shows.

        Args:
            pose: Where it lies.
            hw: The picture's height and width; pixels beyond are left out.
            sun_xy: The direction in which shadows fall, of length 0 (no sun) to 1.
        """
        bodies = _project(self.bodies, pose)
        window = _window(bodies, hw)
        if window is None:
            return None
        x0, y0, x1, y1, cut = window
        size_wh = (x1 - x0, y1 - y0)
        ss = 1 if max(size_wh) > 300 else 2 if max(size_wh) > 90 else 4
        alpha = np.zeros((size_wh[1] * ss, size_wh[0] * ss), np.uint8)
        for fixed in _to_fixed(bodies, (x0, y0), ss):
            cv2.fillPoly(alpha, [fixed], 255, cv2.LINE_AA, _SHIFT)
        bgr = np.empty((*alpha.shape, 3), np.uint8)
        bgr[:] = self.paints[0][1]
        paints = _to_fixed(_project([outline for outline, _ in self.paints], pose), (x0, y0), ss)
        for fixed, (_, colour) in zip(paints, self.paints, strict=True):
            cv2.fillPoly(bgr, [fixed], colour, cv2.LINE_AA, _SHIFT)
        if ss > 1:
            bgr = np.asarray(cv2.resize(bgr, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
            alpha = np.asarray(cv2.resize(alpha, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
        if self.reliefs:
            bgr = self._light(bgr, pose, (x0, y0), sun_xy)
        whole = _count_px(bodies) if cut else int(np.count_nonzero(alpha >= COVERED))
        return Sprite(bgr, alpha, (x0, y0), whole)

    def _light(self, bgr: U8, pose: Pose, corner_xy: tuple[int, int], sun_xy: tuple[float, float]) -> U8:
        reach = max(1, round(self.round_m * pose.ppm / 2))
        dx, dy = round(sun_xy[0] * reach * 1.5), round(sun_xy[1] * reach * 1.5)
        pad = 2 * reach + 2
        h, w = bgr.shape[0] + 2 * pad, bgr.shape[1] + 2 * pad
        relief = np.zeros((h, w), np.uint8)
        outlines = _project([outline for outline, _ in self.reliefs], pose)
        fixed = _to_fixed(outlines, (corner_xy[0] - pad, corner_xy[1] - pad), 1)
        for points, (_, level) in zip(fixed, self.reliefs, strict=True):
            cv2.fillPoly(relief, [points], level, cv2.LINE_AA, _SHIFT)
        height = blur(relief, reach).astype(np.int16)
        toward = height[pad + dy : h - pad + dy, pad + dx : w - pad + dx]
        away = height[pad - dy : h - pad - dy, pad - dx : w - pad - dx]
        slope: NDArray[np.int16] = (toward - away) * np.int16(round(self.gloss * 64)) >> 7
        rim: NDArray[np.int16] = (np.int16(255) - height[pad : h - pad, pad : w - pad]) >> 5
        steep: NDArray[np.int16] = slope - rim
        if self.grain:
            steep += (crop_tile(bgr.shape[:2], 1) >> 2) * np.int16(self.grain) >> 5
            steep += (crop_tile(bgr.shape[:2], 16) >> 2) * np.int16(self.grain) >> 5
        return shade(bgr, steep)


# From this coverage on, a pixel belongs to the object: thin parts count, a soft edge's faint end does not.
COVERED = 96


def shade(bgr: U8, level: NDArray[np.int16]) -> U8:
    """Lighten (level above 0) or darken (below) pixels; i16[h, w], 128 is full strength."""
    light = np.clip(level, 0, 128)[..., None]
    dark = np.clip(128 + level, 16, 128)[..., None]
    base = bgr.astype(np.int16)
    out = (base * dark >> 7) + ((255 - base) * light >> 7)
    return out.astype(np.uint8)


def _project(outlines: list[F64], pose: Pose) -> list[F64]:
    """All outlines as pixels of the picture, in one go."""
    px = pose.to_px(np.concatenate(outlines))
    return _split(px, outlines)


def _to_fixed(outlines_px: list[F64], corner_xy: tuple[int, int], ss: int) -> list[NDArray[np.int32]]:
    """Outlines in OpenCV's fixed-point coordinates of a window ``ss`` times enlarged; pixel centres are whole there."""
    fixed = np.rint(((np.concatenate(outlines_px) - corner_xy) * ss - 0.5) * _ONE).astype(np.int32)
    return _split(fixed, outlines_px)


def _split(stacked: NDArray[T], parts: list[F64]) -> list[NDArray[T]]:
    pieces, start = [], 0
    for part in parts:
        pieces.append(stacked[start : start + len(part)])
        start += len(part)
    return pieces


def _window(bodies: list[F64], hw: tuple[int, int]) -> tuple[int, int, int, int, bool] | None:
    points = np.concatenate(bodies)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    x0, y0, x1, y1 = math.floor(left) - 1, math.floor(top) - 1, math.ceil(right) + 1, math.ceil(bottom) + 1
    inside = max(x0, 0), max(y0, 0), min(x1, hw[1]), min(y1, hw[0])
    if inside[2] - inside[0] < 1 or inside[3] - inside[1] < 1:
        return None
    return *inside, inside != (x0, y0, x1, y1)


def _count_px(bodies: list[F64]) -> int:
    points = np.concatenate(bodies)
    left, top = np.floor(points.min(axis=0)) - 1
    width, height = (np.ceil(points.max(axis=0)) - (left, top)).astype(int) + 2
    mask = np.zeros((height, width), np.uint8)
    for fixed in _to_fixed(bodies, (int(left), int(top)), 1):
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
    return int(np.count_nonzero(mask >= COVERED))


def fill_px(target: U8, outline_px: F64, value: int | Bgr) -> None:
    """Fill a polygon, given in pixels of the picture, with smooth edges."""
    fixed = np.rint((outline_px - 0.5) * _ONE).astype(np.int32)
    cv2.fillPoly(target, [fixed], value, cv2.LINE_AA, _SHIFT)
