"""A decoded picture to the pixels and the time a model's user sees: colours, rotation, clock."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from detectattn.errors import ImageTooLarge
from detectattn.types import U8

# AVColorSpace (what a stream declares) to swscale's tables.
_COLORSPACES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
_HD_HEIGHT_PX = 720
_DISCONTINUITY_S = 1.0


class PictureConverter:
    """Turns decoded pictures into upright BGR; keeps swscale's tables between pictures, so one per thread.

    Colours follow what the picture declares (matrix and range). Where it declares no matrix, BT.709 is taken from 720
    lines up and BT.601 below, as browsers and players do. Pixels stay as they are stored: a non-square sample aspect
    ratio is not resampled, so that boxes are in the coordinates of the file. HDR is not tone-mapped.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def to_bgr(self, picture: Any) -> U8:
        """``picture`` (an av.VideoFrame) as u8[H, W, 3], C-contiguous, turned and mirrored as its matrix says."""
        declared_range = ColorRange(picture.color_range) if picture.color_range in (1, 2) else ColorRange.MPEG
        source: dict[str, Any] = {"src_colorspace": _colorspace(picture), "src_color_range": declared_range}
        if picture.format.is_rgb:
            source = {}
        converted = self._reformatter.reformat(picture, format="bgr24", dst_color_range=ColorRange.JPEG, **source)
        return turn_upright(np.asarray(converted.to_ndarray(), np.uint8), display_matrix(picture))


def check_size(shape: Any, name: str, max_pixels: int) -> None:
    """Refuse pictures that are too large; ``shape`` is anything with a ``width`` and a ``height`` in pixels.

    Raises:
        ImageTooLarge: They have more than ``max_pixels``.
    """
    if shape.width * shape.height > max_pixels:
        raise ImageTooLarge(
            f"{name} has pictures of {shape.width}×{shape.height} pixels, over the limit of {max_pixels}",
            hint="Scale it down, or raise the limit",
        )


def _colorspace(picture: Any) -> Colorspace:
    guess = Colorspace.ITU709 if picture.height >= _HD_HEIGHT_PX else Colorspace.ITU601
    return _COLORSPACES.get(int(picture.colorspace), guess)


def display_matrix(picture: Any) -> tuple[int, int, int, int]:
    """The linear part (a, b, c, d) of the display matrix: a point goes to x' = ax + cy, y' = bx + dy (16.16 fixed)."""
    # Not by `picture.side_data`, which makes a cycle of references: pictures would stay until the collector comes by.
    container = SideDataContainer(picture)  # type: ignore[call-arg]  # its stub has no constructor
    attached = container.get("DISPLAYMATRIX")
    if attached is None:
        return (1 << 16, 0, 0, 1 << 16)
    matrix = np.frombuffer(bytes(attached), np.int32)
    return int(matrix[0]), int(matrix[1]), int(matrix[3]), int(matrix[4])


def compute_rotation_deg(matrix: tuple[int, int, int, int]) -> int:
    """Clockwise turn that brings the stored picture upright: 0, 90, 180 or 270; mirroring is not counted."""
    a, b, _, _ = matrix
    if abs(b) > abs(a):
        return 90 if b > 0 else 270
    return 0 if a >= 0 else 180


def turn_upright(pixels: U8, matrix: tuple[int, int, int, int]) -> U8:
    """``pixels`` rotated by quarter turns and mirrored as ``matrix`` says; other angles to the nearest quarter."""
    a, b, c, d = matrix
    transposed = abs(b) > abs(a)
    x_sign, y_sign = (c, b) if transposed else (a, d)
    if transposed:
        pixels = cv2.transpose(pixels)  # type: ignore[assignment]  # cv2's stubs lose the dtype
    if x_sign < 0 or y_sign < 0:
        axis = -1 if x_sign < 0 and y_sign < 0 else int(x_sign < 0)
        pixels = cv2.flip(pixels, axis)  # type: ignore[assignment]  # cv2's stubs lose the dtype
    return np.ascontiguousarray(pixels)


class Clock:
    """Presentation times in seconds from the first picture, strictly increasing.

    A variable frame rate is kept. A missing time is one frame interval after the one before. A time that does not
    advance is put half an interval after the one before; a jump back of more than a second is taken for a new
    beginning (joined recordings) and the clock runs on.

    Args:
        time_base: Seconds per tick.
        rate: Frames per second as declared or guessed, for what cannot be read from the times themselves.
    """

    def __init__(self, time_base: Fraction, rate: Fraction | None) -> None:
        self._time_base = time_base
        self._interval_s = 1 / rate if rate else Fraction(1, 25)
        self._origin_s: Fraction | None = None
        self._last_s: Fraction | None = None

    def place(self, pts: int | None, duration: int | None = None) -> float:
        """The time of the next picture; ``pts`` and ``duration`` are in ticks, as its container gives them."""
        if duration:
            self._interval_s = duration * self._time_base
        following_s = Fraction(0) if self._last_s is None else self._last_s + self._interval_s
        self._last_s = following_s if pts is None else self._follow(pts * self._time_base, following_s)
        return float(self._last_s)

    def _follow(self, stored_s: Fraction, following_s: Fraction) -> Fraction:
        if self._origin_s is None:
            self._origin_s = stored_s - following_s
        time_s = stored_s - self._origin_s
        if self._last_s is None or time_s > self._last_s:
            return time_s
        if self._last_s - time_s <= _DISCONTINUITY_S:
            return self._last_s + self._interval_s / 2
        self._origin_s = stored_s - following_s
        return following_s
