"""Many small arrays as one text: as few bytes as they can be without a reader seeing it."""

from __future__ import annotations

import math
import zlib
from base64 import b64encode
from dataclasses import dataclass, field

import cv2
import numpy as np

from detectattn.report.explanation import PointCloud
from detectattn.types import U8

POINT_STEP_PX = 0.1
"""Places of points are whole numbers of these."""
WEIGHT_STEPS = 65535
"""Weights of points, 0 to 1, are whole numbers of so many parts."""

# Most maps come from grids of a few dozen cells: kept at more than that, they would hold nothing but interpolation.
_SIDES_PX = (32, 48, 72, 108)
# In steps of grey, of 255.
_USUAL_ERROR, _LARGEST_ERROR, _LARGEST_AT_EDGE = 5, 12, 32
_QUANTILE = 0.99
_FARTHEST = 2**31 - 1


@dataclass(slots=True)
class Pack:
    """Arrays one after another.

    A map lies as differences along both axes modulo 256, of which smooth ones are nearly all 0: the cumulative sums
    give it back. Points lie as their x and y i32[2N], weights u16[N], levels, heads and layers u8[N] each, all little
    endian.
    """

    content: bytearray = field(default_factory=bytearray)

    def add_maps(self, grey: U8) -> tuple[int, int, int]:
        """Keep maps u8[N, h, w] of one size; where they lie, their width and their height."""
        small = shrink_maps(grey)
        offset = self._add(_differ(small).tobytes())
        return offset, small.shape[2], small.shape[1]

    def add_points(self, points: PointCloud) -> tuple[int, int]:
        """Keep sampling points; where they lie, and how many there are."""
        steps = np.nan_to_num(np.asarray(points.xy, np.float64) / POINT_STEP_PX)
        weight = np.clip(np.nan_to_num(points.weight), 0, 1) * WEIGHT_STEPS
        columns = (
            np.clip(np.rint(steps), -_FARTHEST, _FARTHEST).astype("<i4"),
            np.rint(weight).astype("<u2"),
            *(np.clip(column, 0, 255).astype(np.uint8) for column in (points.level, points.head, points.layer)),
        )
        return self._add(b"".join(column.tobytes() for column in columns)), len(points.weight)

    def render(self) -> str:
        """All of it: zlib, in base 64."""
        return b64encode(zlib.compress(bytes(self.content), 9)).decode("ascii")

    def _add(self, content: bytes) -> int:
        offset = len(self.content)
        self.content += content
        return offset


def shrink_maps(grey: U8) -> U8:
    """Maps u8[N, h, w] at the smallest size from which bilinear interpolation gives them back as they are shown."""
    height, width = grey.shape[1:]
    for side in _SIDES_PX:
        scale = side / max(height, width)
        if scale >= 1:
            break
        size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        small = _resize(grey, size_wh, cv2.INTER_CUBIC)
        if _is_alike(_resize(small, (width, height), cv2.INTER_LINEAR), grey, math.ceil(0.5 / scale)):
            return small
    return grey


def _is_alike(restored: U8, grey: U8, edge_px: int) -> bool:
    """Whether nobody would see the difference; half a cell along the edges has nothing to be interpolated with."""
    errors = np.abs(restored.astype(np.int16) - grey)
    inner = errors[:, edge_px:-edge_px, edge_px:-edge_px]
    if errors.max() > _LARGEST_AT_EDGE or inner.max(initial=0) > _LARGEST_ERROR:
        return False
    return not inner.size or float(np.quantile(inner, _QUANTILE)) <= _USUAL_ERROR


def _resize(grey: U8, size_wh: tuple[int, int], interpolation: int) -> U8:
    return np.stack([np.asarray(cv2.resize(one, size_wh, interpolation=interpolation), np.uint8) for one in grey])


def _differ(maps: U8) -> U8:
    """Differences along both axes, modulo 256."""
    across = np.diff(maps, axis=2, prepend=np.uint8(0))
    return np.diff(across, axis=1, prepend=np.uint8(0))
