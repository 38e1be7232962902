"""Draws scenes of six flat shapes on a soft ground: pure pixels, the same for the same seed.

A shape is a signed distance to its outline, in pixels, negative inside: coverage and shadow follow from it, and
edges are smooth at any size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

CLASS_NAMES = ("circle", "square", "tri", "quad", "pent", "hex")
_SIDES = (0, 4, 3, 4, 5, 6)

# Two grounds to blend and the colours of what lies on them, as RRGGBB.
PALETTES = {
    "meadow": ("5B8C5A C7D59F 2F5D50 E8E4C9", "F25F5C FFE066 247BA0 70399C FFFFFF 1B1B3A"),
    "harbour": ("0B3954 087E8B BFD7EA 2E6F95", "FF5A5F F9C80E F5F1E3 8CE46B C81D77 FFA552"),
    "dusk": ("2D1E4A 8E4A6B E88D67 4B2E65", "FFD166 06D6A0 F7F7FF 118AB2 EF476F B8F2E6"),
    "paper": ("F3EEE3 E2D8C3 FBF9F4 D5CBB5", "D7263D 1B998B 2E294E F46036 3A6EA5 6A4C93"),
    "clay": ("A44A3F D4A276 6F1D1B E6CCB2", "2A9D8F F4F1DE 264653 F2CC8F 81B29A 5E60CE"),
    "frost": ("CAF0F8 90E0EF 48A9C5 E3F6FB", "D00000 3C096C FF8800 006D77 7209B7 2B2D42"),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape, by the circle that its corners lie on; a square's sides touch the circle from outside.

    Attributes:
        class_id: Index into ``CLASS_NAMES``.
        center_xy: Centre of the circle, in pixels.
        radius_px: Radius of the circle: half of the side of the box in the ground truth.
        angle_rad: How far it is turned; at 0 a triangle points up and a square stands on a side.
        bgr: Colour, 0 to 255.
    """

    class_id: int
    center_xy: tuple[float, float]
    radius_px: float
    angle_rad: float
    bgr: tuple[int, int, int]

    @property
    def inner_px(self) -> float:
        """Distance of the sides from the centre."""
        if CLASS_NAMES[self.class_id] in ("circle", "square"):
            return self.radius_px
        return self.radius_px * math.cos(math.pi / _SIDES[self.class_id])

    @property
    def outer_px(self) -> float:
        """Distance of the farthest point from the centre."""
        return self.radius_px * (2**0.5 if CLASS_NAMES[self.class_id] == "square" else 1)

    def at(self, center_xy: tuple[float, float]) -> Shape:
        """The same shape elsewhere."""
        return replace(self, center_xy=center_xy)


def draw_scene(ground: U8, shapes: list[Shape]) -> U8:
    """Shapes with soft shadows on a ground u8[H, W, 3] BGR, later ones on top; a new picture."""
    canvas = ground.astype(np.float32)
    for shape in shapes:
        drop_xy = (shape.center_xy[0] + 0.05 * shape.radius_px, shape.center_xy[1] + 0.10 * shape.radius_px)
        shadow_distance = compute_distance_px(shape.at(drop_xy), ground.shape[:2])
        shadow = np.clip(0.5 - shadow_distance / (0.30 * shape.radius_px), 0, 1)
        canvas *= 1 - 0.38 * (shadow * shadow * (3 - 2 * shadow))[..., None]
        cover = np.clip(0.5 - compute_distance_px(shape, ground.shape[:2]), 0, 1)[..., None]
        canvas += cover * (_shade(shape, ground.shape[:2]) - canvas)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def compute_distance_px(shape: Shape, size_hw: tuple[int, ...]) -> F32:
    """Signed distance of every pixel's centre to the outline, f32[H, W], negative inside; mitred beyond corners."""
    x, y = _pixel_offsets(shape, size_hw)
    sides = _SIDES[shape.class_id]
    if sides == 0:
        from_center: F32 = np.hypot(x, y) - np.float32(shape.inner_px)
        return from_center
    # An edge's outward normal lies half a side's angle past the corner; corners start straight up, squares at 45°.
    first_corner = -np.pi / 2 + shape.angle_rad + (np.pi / 4 if sides == 4 else 0.0)
    normals = first_corner + np.pi * (2 * np.arange(sides) + 1) / sides
    reach = [x * np.float32(np.cos(n)) + y * np.float32(np.sin(n)) for n in normals]
    distance: F32 = np.maximum.reduce(reach) - np.float32(shape.inner_px)
    return distance


def _pixel_offsets(shape: Shape, size_hw: tuple[int, ...]) -> tuple[F32, F32]:
    height, width = size_hw[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return x + np.float32(0.5 - shape.center_xy[0]), y + np.float32(0.5 - shape.center_xy[1])


def _shade(shape: Shape, size_hw: tuple[int, ...]) -> F32:
    """The shape's colour, a little lighter towards the top left: f32[H, W, 3]."""
    x, y = _pixel_offsets(shape, size_hw)
    light: F32 = np.clip(-(0.5 * x + y) / np.float32(shape.radius_px), -1, 1) * np.float32(14.0)
    return light[..., None] + np.array(shape.bgr, np.float32)


def draw_ground(size_wh: tuple[int, int], palette: str, grain: float, rng: np.random.Generator) -> U8:
    """A soft ground of a palette's colours with a fine grain, u8[H, W, 3] BGR."""
    width, height = size_wh
    colours = np.array([parse_bgr(c) for c in PALETTES[palette][0].split()], np.float32)
    rows, columns = max(3, round(height / 150)), max(3, round(width / 150))
    coarse = colours[rng.integers(len(colours), size=(rows, columns))]
    coarse += rng.uniform(-12, 12, size=coarse.shape).astype(np.float32)
    smooth = cv2.resize(coarse, size_wh, interpolation=cv2.INTER_CUBIC)
    noise = rng.normal(0, grain, size=(height, width, 1))
    return np.clip(np.rint(smooth + noise), 0, 255).astype(np.uint8)


def place_shapes(size_wh: tuple[int, int], palette: str, count: int, rng: np.random.Generator) -> list[Shape]:
    """Up to ``count`` shapes that lie whole within the picture and do not touch, in a palette's colours."""
    colours = PALETTES[palette][1].split()
    scale = (size_wh[0] * size_wh[1]) ** 0.5
    shapes: list[Shape] = []
    for _ in range(60 * count):
        if len(shapes) == count:
            break
        radius = scale * rng.uniform(0.055, 0.15)
        center_xy = (rng.uniform(radius, size_wh[0] - radius), rng.uniform(radius, size_wh[1] - radius))
        class_id, bgr = int(rng.integers(len(CLASS_NAMES))), parse_bgr(colours[len(shapes) % len(colours)])
        shape = Shape(class_id, center_xy, radius, _choose_angle(class_id, rng), bgr)
        if not any(_touch(shape, other) for other in shapes):
            shapes.append(shape)
    return shapes


def _touch(a: Shape, b: Shape) -> bool:
    gap = np.hypot(a.center_xy[0] - b.center_xy[0], a.center_xy[1] - b.center_xy[1])
    return bool(gap < 1.06 * (a.outer_px + b.outer_px))


def _choose_angle(class_id: int, rng: np.random.Generator) -> float:
    # Only its angle tells a quad from a square, which stands upright; a triangle points up.
    limits_deg = {"square": (0, 0), "quad": (25, 65), "tri": (0, 0)}.get(CLASS_NAMES[class_id], (0, 360))
    return float(np.radians(rng.uniform(*limits_deg)))


def parse_bgr(rrggbb: str) -> tuple[int, int, int]:
    """``"1B998B"`` as blue, green, red."""
    red, green, blue = bytes.fromhex(rrggbb)
    return blue, green, red


def render_labels(shapes: list[Shape], size_wh: tuple[int, int]) -> str:
    """YOLO ground truth: a line each, class and the square around the shape's circle, relative to the picture."""
    width, height = size_wh
    return "".join(
        f"{s.class_id} {s.center_xy[0] / width:.6f} {s.center_xy[1] / height:.6f} "
        f"{2 * s.radius_px / width:.6f} {2 * s.radius_px / height:.6f}\n"
        for s in shapes
    )
