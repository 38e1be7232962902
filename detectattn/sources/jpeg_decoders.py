"""JPEG data to pixels, in full or at a fraction of its size, by libjpeg-turbo in one of its packagings.

simplejpeg hands over the array that libjpeg-turbo wrote into; OpenCV copies it once more, which on a picture of twelve
megapixels is a third of the time. Both hold no lock while they work, and their pixels are the same.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

import cv2
import numpy as np

from detectattn.types import U8

_OPENCV_MODES = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_EIGHTHS = 8
FACTORS = tuple(sorted(_OPENCV_MODES))


def choose_factor(size_hw: tuple[int, int], at_least_hw: tuple[int, int] | None) -> int:
    """By how much a picture can be reduced so that both sides keep ``at_least_hw`` pixels: 8, 4, 2, or 1 for not.

    Args:
        size_hw: Height and width of the picture.
        at_least_hw: What must be left; None for all of it.
    """
    if at_least_hw is None:
        return 1
    room = min(side // wanted for side, wanted in zip(size_hw, at_least_hw, strict=True))
    return max((factor for factor in FACTORS if factor <= room), default=1)


def decode_jpeg(content: bytes, size_hw: tuple[int, int], factor: int = 1) -> U8 | None:
    """The pixels of a grey or coloured JPEG, as they are stored: its orientation is not applied.

    Args:
        content: The whole file.
        size_hw: Height and width that its header states.
        factor: 1, 2, 4 or 8. Beyond 1 the decoder makes fewer pixels of each block, about the mean of
            ``factor`` × ``factor`` each; those of the last row and column may stand for fewer.

    Returns:
        u8[ceil(H / factor), ceil(W / factor), 3], BGR; None for what this decoder does not take.
    """
    reduced_hw = (-(-size_hw[0] // factor), -(-size_hw[1] // factor))
    bgr = _decode_by_simplejpeg(content, reduced_hw, factor)
    if bgr is None:
        mode = _OPENCV_MODES[factor] | cv2.IMREAD_IGNORE_ORIENTATION
        bgr = cv2.imdecode(np.frombuffer(content, np.uint8), mode)
    return None if bgr is None or bgr.shape[:2] != reduced_hw else bgr.astype(np.uint8, copy=False)


def _decode_by_simplejpeg(content: bytes, reduced_hw: tuple[int, int], factor: int) -> Any:
    """None where it is not installed, and for data that it finds fault with: OpenCV is more patient."""
    simplejpeg = _load_simplejpeg()
    # It takes the smallest scale, in eighths, that gives the size; of a few pixels more than one scale does.
    if simplejpeg is None or (factor > 1 and min(reduced_hw) < _EIGHTHS):
        return None
    least = {"min_height": reduced_hw[0], "min_width": reduced_hw[1]} if factor > 1 else {}
    try:
        return simplejpeg.decode_jpeg(content, "BGR", **least)
    except ValueError:
        return None


@lru_cache(maxsize=1)
def _load_simplejpeg() -> Any:
    """The package, or None on a platform for which it has no wheel."""
    try:
        return import_module("simplejpeg")
    except ImportError:
        return None
