"""Outlines in metres: closed polygons, f64[N, 2], x forward and y to the right."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Point = tuple[float, float]


def rounded(cx: float, cy: float, length: float, width: float, radius: float = 0.0, steps: int = 4) -> F64:
    """A rectangle around (cx, cy) with rounded corners; ``radius`` is cut down to what fits."""
    r = min(radius, length / 2, width / 2)
    if r <= 0:
        x, y = length / 2, width / 2
        return np.array([(cx - x, cy - y), (cx + x, cy - y), (cx + x, cy + y), (cx - x, cy + y)])
    points = []
    for quarter, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        for step in range(steps + 1):
            angle = (quarter + step / steps) * math.pi / 2
            points.append(
                (cx + sx * (length / 2 - r) + r * math.cos(angle), cy + sy * (width / 2 - r) + r * math.sin(angle))
            )
    return np.array(points)


def ellipse(cx: float, cy: float, rx: float, ry: float, turn: float = 0.0, steps: int = 20) -> F64:
    """An ellipse around (cx, cy), turned by ``turn`` radians."""
    angles = [2 * math.pi * k / steps for k in range(steps)]
    c, s = math.cos(turn), math.sin(turn)
    return np.array(
        [
            (cx + rx * math.cos(a) * c - ry * math.sin(a) * s, cy + rx * math.cos(a) * s + ry * math.sin(a) * c)
            for a in angles
        ]
    )


def stroke(start: Point, end: Point, width: float, *, round_ends: bool = False) -> F64:
    """A straight line of a width as a polygon."""
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0) or 1e-9
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    h = width / 2
    if not round_ends:
        return np.array(
            [
                (x0 - uy * h, y0 + ux * h),
                (x1 - uy * h, y1 + ux * h),
                (x1 + uy * h, y1 - ux * h),
                (x0 + uy * h, y0 - ux * h),
            ]
        )
    turn = math.atan2(uy, ux)
    ends = [(x1, y1, turn - math.pi / 2), (x0, y0, turn + math.pi / 2)]
    return np.array(
        [
            (x + h * math.cos(first + k * math.pi / 6), y + h * math.sin(first + k * math.pi / 6))
            for x, y, first in ends
            for k in range(7)
        ]
    )


def mirrored(half: Sequence[Point]) -> F64:
    """A half outline, listed from front to rear at y of 0 or more, and its mirror image, as one closed polygon."""
    right = list(half)
    left = [(x, -y) for x, y in reversed(right) if y > 0]
    return np.array(right + left)


def smooth(outline: F64, rounds: int = 2) -> F64:
    """The outline with its corners cut, ``rounds`` times (Chaikin's algorithm)."""
    for _ in range(rounds):
        after = np.roll(outline, -1, axis=0)
        outline = np.stack([0.75 * outline + 0.25 * after, 0.25 * outline + 0.75 * after], axis=1).reshape(-1, 2)
    return outline


def turned(outline: F64, angle: float, cx: float = 0.0, cy: float = 0.0) -> F64:
    """The outline turned by ``angle`` radians about the origin, then moved by (cx, cy)."""
    c, s = math.cos(angle), math.sin(angle)
    x, y = outline[:, 0], outline[:, 1]
    return np.stack([x * c - y * s + cx, x * s + y * c + cy], axis=1)
