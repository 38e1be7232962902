"""The picture under construction: colours, the shadows that lie on it, and which object each pixel shows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from .outlines import F64
from .pixels import U8, blur
from .sketch import COVERED, Lamp, Pose, Sketch, Sprite, fill_px

NOBODY = -1
Spot = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Sun:
    """Where shadows fall.

    Attributes:
        direction_xy: Unit vector in the picture along which shadows fall.
        length: Shadow length for each metre of height.
        softness_m: Width of a shadow's edge for each metre of height.
    """

    direction_xy: tuple[float, float]
    length: float
    softness_m: float


@dataclass(slots=True)
class Canvas:
    """Layers of one size, painted from the ground up.

    Attributes:
        bgr: u8[H, W, 3], colours without shadows.
        shadow: u8[H, W], how much of the sun is kept off what shows.
        owner: i16[H, W], the number of the object that shows, or ``NOBODY``.
        lamps: Lights in pixels of the picture, with the pose they were turned by.
    """

    bgr: U8
    shadow: U8
    owner: NDArray[np.int16]
    sun: Sun
    lamps: list[tuple[Lamp, Pose, int]] = field(default_factory=list)

    @classmethod
    def of_ground(cls, bgr: U8, sun: Sun) -> Canvas:
        """A canvas that shows the ground alone; takes the array over."""
        hw = bgr.shape[:2]
        return cls(bgr, np.zeros(hw, np.uint8), np.full(hw, NOBODY, np.int16), sun)

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.bgr.shape[0], self.bgr.shape[1]

    def place(self, sketch: Sketch, pose: Pose, owner: int = NOBODY, *, base: float = 0.0) -> int:
        """Put an object with its shadow; returns how many pixels the whole of it covers, hidden ones included.

        ``base`` is the height in metres at which it stands above what its shadow falls on.
        """
        light = 0.0 if self.sun.length == 0 else 1.0
        sun_xy = (self.sun.direction_xy[0] * light, self.sun.direction_xy[1] * light)
        self.cast([pose.to_px(outline) for outline in sketch.bodies], sketch.height, pose.ppm, base=base)
        sprite = sketch.render(pose, self.hw, sun_xy)
        self.lamps.extend((lamp, pose, owner) for lamp in sketch.lamps)
        if sprite is None:
            return 0
        self.put(sprite, owner)
        return sprite.whole_px

    def put(self, sprite: Sprite, owner: int = NOBODY) -> None:
        """Blend a sprite over what is there; shadows under it no longer show."""
        spot, part = _overlap(sprite.alpha.shape, sprite.corner_xy, self.hw)
        alpha = sprite.alpha[part].astype(np.uint16)
        alpha += alpha >> 7
        self.shadow[spot] = (self.shadow[spot] * (256 - alpha)) >> 8
        alpha3 = alpha[..., None]
        self.bgr[spot] = (self.bgr[spot] * (256 - alpha3) + sprite.bgr[part] * alpha3 + 128) >> 8
        self.owner[spot][sprite.alpha[part] >= COVERED] = owner

    def cast(self, outlines_px: list[F64], height_m: float, ppm: float, *, base: float = 0.0) -> None:
        """The shadow of a body of convex parts, and the darkness right under it."""
        reach = self.sun.length * ppm
        far = np.array(self.sun.direction_xy) * reach * (height_m + base)
        near = np.array(self.sun.direction_xy) * reach * base
        hulls = [
            cv2.convexHull(np.concatenate([outline + near, outline + far]).astype(np.float32))[:, 0].astype(np.float64)
            for outline in outlines_px
        ]
        edge = max(1, round((0.05 + self.sun.softness_m * (height_m + base)) * ppm))
        self._darken(hulls, edge, 255)
        if base == 0:
            self._darken(outlines_px, max(1, round(0.16 * ppm)), 150)

    def draw_wire(self, line_px: F64, height_m: float, ppm: float) -> None:
        """A thin dark line high above, and its faint shadow."""
        shift = np.array(self.sun.direction_xy) * self.sun.length * height_m * ppm
        thick = max(1, round(0.032 * ppm))
        if self.sun.length > 0.3:
            fixed = np.rint((line_px + shift - 0.5) * 16).astype(np.int32)
            cv2.polylines(self.shadow, [fixed], False, 90, thick, cv2.LINE_AA, 4)
        fixed = np.rint((line_px - 0.5) * 16).astype(np.int32)
        cv2.polylines(self.bgr, [fixed], False, (38, 36, 34), thick, cv2.LINE_AA, 4)
        owner = np.zeros(self.hw, np.uint8)
        cv2.polylines(owner, [fixed], False, 255, thick, cv2.LINE_8, 4)
        self.owner[owner > 0] = NOBODY

    def cast_sprite(self, sprite: Sprite, offset_px: float, edge_px: int) -> None:
        """The shadow of a sprite that floats: its coverage, moved along the sun by ``offset_px`` metres of height."""
        mask = blur(sprite.alpha, edge_px)
        left = sprite.corner_xy[0] + round(self.sun.direction_xy[0] * self.sun.length * offset_px)
        top = sprite.corner_xy[1] + round(self.sun.direction_xy[1] * self.sun.length * offset_px)
        spot, part = _overlap(mask.shape, (left, top), self.hw)
        np.maximum(self.shadow[spot], mask[part], out=self.shadow[spot])

    def _darken(self, outlines_px: list[F64], edge_px: int, level: int) -> None:
        points = np.concatenate(outlines_px)
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        height, width = self.hw
        margin = 2 * edge_px + 1
        x0, y0 = max(0, math.floor(left) - margin), max(0, math.floor(top) - margin)
        x1, y1 = min(width, math.ceil(right) + margin), min(height, math.ceil(bottom) + margin)
        if x1 <= x0 or y1 <= y0:
            return
        # Blurred with a margin, so that a shadow that the picture's edge cuts does not fade there.
        mask = np.zeros((y1 - y0 + 2 * margin, x1 - x0 + 2 * margin), np.uint8)
        for outline in outlines_px:
            fill_px(mask, outline - (x0 - margin, y0 - margin), level)
        mask = blur(mask, edge_px)[margin:-margin, margin:-margin]
        spot = self.shadow[y0:y1, x0:x1]
        np.maximum(spot, mask, out=spot)


def _overlap(size_hw: tuple[int, ...], corner_xy: tuple[int, int], hw: tuple[int, int]) -> tuple[Spot, Spot]:
    """Where a patch falls within a picture, and which part of the patch that is."""
    (x, y), (height, width) = corner_xy, hw
    x0, y0 = min(max(x, 0), width), min(max(y, 0), height)
    x1, y1 = max(x0, min(x + size_hw[1], width)), max(y0, min(y + size_hw[0], height))
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
