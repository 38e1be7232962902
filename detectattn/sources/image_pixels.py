"""From whatever a decoder yields to the one form everything else takes: upright u8[H, W, 3], BGR.

Rules, where formats leave a choice:

- 16-bit samples are divided by 257 (65535 becomes 255), never stretched: a picture's result must not depend on its
  brightest pixel, and Ultralytics' reader scales the same way. Data that fills only 12 of 16 bits therefore stays
  dark. Colour pictures that Pillow itself reduces keep their high byte, at most one level away.
- Floating-point and 32-bit integer samples have no fixed range. They are read as 0 to 1 (floating point only), else
  0 to 255, else 0 to 65535, whichever is the first that holds all of them; anything else (negative values, larger
  ones) is stretched from its least to its greatest. NaN and infinities count as the least.
- Transparency is laid over white, as a browser or viewer shows it: the colours under transparent pixels are accidents
  of the program that wrote the file, and a box around something invisible cannot be understood. A picture that is
  wholly transparent keeps its colours, for then the alpha channel is the accident. (Ultralytics drops alpha; for the
  usual picture, whose alpha is opaque, both are the same.)
- Colour profiles are not applied, as in training and in Ultralytics' reader; CMYK is converted without one.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from detectattn.types import U8, Reduced

_OPENCV_UPRIGHT = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
# Orientations whose upright columns, or rows, run against the stored ones.
_FROM_RIGHT, _FROM_BOTTOM = frozenset({2, 3, 6, 7}), frozenset({3, 4, 7, 8})
_TRANSPOSED = frozenset({5, 6, 7, 8})
_FULL_SCALE_16 = frozenset({"PPM", "PNG", "JPEG2000"})


def to_bgr(image: Image.Image) -> U8:
    """The pixels of a loaded Pillow image of any mode as u8[H, W, 3], BGR, C-contiguous."""
    if image.mode.startswith("I;16"):
        return to_bgr_levels(np.asarray(image))
    if image.mode == "I":
        levels = np.asarray(image)
        return to_bgr_levels(levels.astype(np.uint16) if image.format in _FULL_SCALE_16 else levels)
    if image.mode == "F":
        return to_bgr_levels(np.asarray(image))
    if image.has_transparency_data:
        image = _flatten(image.convert("RGBA"))
    elif image.mode == "LAB":
        image = _lab_to_rgb(image)
    if image.mode in {"L", "1"}:
        return _as_u8(cv2.cvtColor(np.asarray(image.convert("L")), cv2.COLOR_GRAY2BGR))
    return _as_u8(cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR))


def to_bgr_levels(levels: NDArray[Any]) -> U8:
    """Samples of any type, [H, W] grey or [H, W, C] in OpenCV's order, as u8[H, W, 3]; a fourth channel is dropped."""
    scaled = _scale_to_u8(levels if levels.ndim == 2 or levels.shape[2] != 4 else levels[..., :3])
    if scaled.ndim == 2 or scaled.shape[2] < 3:
        grey = scaled if scaled.ndim == 2 else scaled[..., 0]
        return _as_u8(cv2.cvtColor(np.ascontiguousarray(grey), cv2.COLOR_GRAY2BGR))
    return np.ascontiguousarray(scaled)


def to_upright(bgr: U8, orientation: int) -> U8:
    """Turn u8[H, W, 3] as EXIF's orientation tag (1 to 8) says; any other value leaves it as it is."""
    if orientation in _OPENCV_UPRIGHT:
        return _as_u8(cv2.rotate(bgr, _OPENCV_UPRIGHT[orientation]))
    if orientation == 2:
        return _as_u8(cv2.flip(bgr, 1))
    if orientation == 4:
        return _as_u8(cv2.flip(bgr, 0))
    if orientation == 5:
        return _as_u8(cv2.transpose(bgr))
    if orientation == 7:
        return _as_u8(cv2.flip(cv2.transpose(bgr), -1))
    return bgr


def to_upright_hw(size_hw: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Height and width of a picture that is stored in ``size_hw``, once it is upright."""
    return size_hw[::-1] if orientation in _TRANSPOSED else size_hw


def to_upright_reduced(bgr: U8, factor: int, size_hw: tuple[int, int], orientation: int) -> Reduced:
    """Turn u8[ceil(H / factor), ceil(W / factor), 3], a copy of a picture that is stored in ``size_hw``, upright."""
    upright = to_upright(bgr, orientation)
    image_hw = to_upright_hw(size_hw, orientation)
    overhang_y, overhang_x = (factor * side - full for side, full in zip(upright.shape[:2], image_hw, strict=True))
    origin_xy = (-overhang_x * (orientation in _FROM_RIGHT), -overhang_y * (orientation in _FROM_BOTTOM))
    return Reduced(upright, factor, origin_xy, image_hw)


def _scale_to_u8(levels: NDArray[Any]) -> U8:
    if levels.dtype == np.uint8:
        return levels
    if levels.dtype == np.uint16:
        return ((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    values = levels.astype(np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = float(values[finite].min()), float(values[finite].max())
    values = np.where(finite, values, np.float32(low))
    start, span = _value_range(low, high, is_float=levels.dtype.kind == "f")
    scaled = (values.astype(np.float64) - start) * (255 / span)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _value_range(low: float, high: float, *, is_float: bool) -> tuple[float, float]:
    """Where the scale starts and how far it reaches."""
    ladder = (1.0, 255.0, 65535.0) if is_float else (255.0, 65535.0)
    for top in ladder:
        if low >= 0 and high <= top:
            return 0.0, top
    return low, max(high - low, 1e-30)


def _flatten(rgba: Image.Image) -> Image.Image:
    low, high = rgba.getchannel("A").getextrema()
    if low == 255 or high == 0:
        return rgba.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert converted is not None  # only in-place conversion returns None
    return converted


def _as_u8(pixels: NDArray[Any]) -> U8:
    """OpenCV's stubs give no dtype; all of these conversions keep u8."""
    assert pixels.dtype == np.uint8
    return pixels
