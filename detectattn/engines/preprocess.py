"""Fit a picture into a network's input, the way its training did."""

from __future__ import annotations

import cv2
import numpy as np

from detectattn.engines.base import FitMode
from detectattn.types import F32, U8, Resize

PAD_GREY = 114
_FULL = np.float32(255)
# Short side to long side of pictures that are common: square, 5:4, 4:3, 3:2, 16:9, 21:9, and 4:1 for strips.
_COMMON_RATIOS = ((1, 1), (4, 5), (3, 4), (2, 3), (9, 16), (3, 7), (1, 4))


def list_sides(full: int, stride: int) -> tuple[int, ...]:
    """The few lengths that a side of a rectangle may have, longest first: seven at most, for thirteen shapes.

    Args:
        full: Length of the input's side, a multiple of ``stride``.
        stride: The network's.

    Returns:
        What pictures of common shapes need, in multiples of the stride: 640, 512, 480, 448, 384, 288 and 160 of 640.
    """
    lengths = {-(-full * short // (long * stride)) * stride for short, long in _COMMON_RATIOS}
    return tuple(sorted(lengths, reverse=True))


def plan_resize(
    image_hw: tuple[int, int], net_hw: tuple[int, int], fit: FitMode, stride: int = 32, *, few_shapes: bool = False
) -> Resize:
    """How a picture of ``image_hw`` goes into an input of ``net_hw``.

    Args:
        image_hw: Height and width of the picture in pixels.
        net_hw: Height and width of the input; for ``letterbox_rect`` the bounding rectangle.
        fit: ``stretch`` fills the input and ignores the aspect ratio (RT-DETR). ``letterbox`` keeps it and pads
            (YOLO). ``letterbox_rect`` pads only up to the next multiple of the stride, so the input's shape depends
            on the picture's.
        stride: Of the network, which divides both sides of ``net_hw``.
        few_shapes: Whether ``letterbox_rect`` pads up to the next of a few lengths (:func:`list_sides`) instead.
    """
    if fit == "stretch":
        return _resize(image_hw, net_hw, net_hw, (0, 0))
    scale = min(net_hw[0] / image_hw[0], net_hw[1] / image_hw[1])
    inner_hw = (max(round(image_hw[0] * scale), 1), max(round(image_hw[1] * scale), 1))
    spare_hw = (net_hw[0] - inner_hw[0], net_hw[1] - inner_hw[1])
    if fit == "letterbox_rect" and few_shapes:
        height, width = (_find_side(*side, stride) for side in zip(inner_hw, net_hw, strict=True))
        spare_hw = (height - inner_hw[0], width - inner_hw[1])
    elif fit == "letterbox_rect":
        spare_hw = (spare_hw[0] % stride, spare_hw[1] % stride)
    # Half a pixel goes to the bottom and the right, as Ultralytics does.
    top, left = round(spare_hw[0] / 2 - 0.1), round(spare_hw[1] / 2 - 0.1)
    outer_hw = (inner_hw[0] + spare_hw[0], inner_hw[1] + spare_hw[1])
    return _resize(image_hw, inner_hw, outer_hw, (top, left))


def _find_side(inner: int, full: int, stride: int) -> int:
    return min(side for side in list_sides(full, stride) if side >= inner)


def _resize(
    image_hw: tuple[int, int], inner_hw: tuple[int, int], net_hw: tuple[int, int], top_left: tuple[int, int]
) -> Resize:
    scale_xy = (inner_hw[1] / image_hw[1], inner_hw[0] / image_hw[0])
    return Resize(scale_xy, (float(top_left[1]), float(top_left[0])), net_hw, image_hw)


def fit_image(bgr: U8, resize: Resize) -> F32:
    """The network's input f32[3, h, w] (RGB, 0 to 1) for a picture u8[H, W, 3] (BGR)."""
    height, width = resize.net_hw
    left, top = (int(v) for v in resize.offset_xy)
    inner_w = round(resize.image_hw[1] * resize.scale_xy[0])
    inner_h = round(resize.image_hw[0] * resize.scale_xy[1])
    inner = bgr if bgr.shape[:2] == (inner_h, inner_w) else cv2.resize(bgr, (inner_w, inner_h))
    planes = np.empty((3, height, width), np.float32)
    if (inner_h, inner_w) != (height, width):
        planes.fill(np.float32(PAD_GREY) / _FULL)
    # Channel by channel: splitting first is twice as fast as dividing along a strided view, and gives the same numbers.
    for channel, plane in zip(cv2.split(inner), planes[::-1], strict=True):
        np.divide(channel, _FULL, out=plane[top : top + inner_h, left : left + inner_w])
    return planes
