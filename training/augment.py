"""Vary a scene as a camera from above might: turned, mirrored, nearer, farther, shifted, in other light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from detectattn.types import F32, I32, U8
from training.scene_cache import LabelledScene

_PAD = (114, 114, 114)
_MIN_VISIBLE = 0.35
_MIN_SIDE_PX = 2.0


def augment_scene(scene: LabelledScene, size_px: int, rng: Generator) -> LabelledScene:
    """A variation of a scene, ``size_px`` on each side; boxes that leave it are cut or dropped."""
    bgr, xyxy = _turn(np.asarray(scene.bgr), scene.xyxy, rng)
    bgr, xyxy, class_id = _move(bgr, xyxy, scene.class_id, size_px, rng)
    return LabelledScene(_relight(bgr, rng), xyxy, class_id)


def _turn(bgr: U8, xyxy: F32, rng: Generator) -> tuple[U8, F32]:
    """One of the eight ways to lay a square: transposed or not, mirrored or not along each axis."""
    transpose, flip_x, flip_y = rng.integers(0, 2, 3).astype(bool)
    boxes = xyxy.copy()
    if transpose:
        bgr, boxes = bgr.transpose(1, 0, 2), boxes[:, [1, 0, 3, 2]]
    height, width = bgr.shape[:2]
    if flip_x:
        bgr, boxes = bgr[:, ::-1], np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
    if flip_y:
        bgr, boxes = bgr[::-1], np.stack([boxes[:, 0], height - boxes[:, 3], boxes[:, 2], height - boxes[:, 1]], 1)
    return np.ascontiguousarray(bgr), boxes.astype(np.float32)


def _move(bgr: U8, xyxy: F32, class_id: I32, size_px: int, rng: Generator) -> tuple[U8, F32, I32]:
    """Scaled to ``size_px``, then by 0.7 to 1.4, differently along x and y, and shifted.

    RT-DETR stretches a 16:9 picture into its square input, by 1.8; YOLO makes it smaller to fit.
    """
    height, width = bgr.shape[:2]
    zoom = np.exp(rng.uniform(-0.35, 0.34) + rng.normal(0, 0.12) * np.array([1, -1]))
    scale = zoom * size_px / np.array([width, height])
    spare = size_px - scale * [width, height]
    # What is larger than the frame is cropped anywhere; what is smaller lies anywhere in it.
    offset = spare * rng.uniform(0, 1, 2)
    matrix = np.array([[scale[0], 0, offset[0] + (scale[0] - 1) / 2], [0, scale[1], offset[1] + (scale[1] - 1) / 2]])
    moved = cv2.warpAffine(bgr, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderValue=_PAD).astype(np.uint8)
    whole = xyxy * np.tile(scale, 2) + np.tile(offset, 2)
    cut = whole.clip(0, size_px)
    sides = cut[:, 2:] - cut[:, :2]
    area = (whole[:, 2:] - whole[:, :2]).prod(1)
    keep: NDArray[np.bool_] = (sides.min(1, initial=np.inf) >= _MIN_SIDE_PX) & (sides.prod(1) >= _MIN_VISIBLE * area)
    return moved, cut[keep].astype(np.float32), class_id[keep]


def _relight(bgr: U8, rng: Generator) -> U8:
    """Other hue, saturation, brightness and contrast, by one table a channel of HSV."""
    gains = 1 + rng.uniform(-1, 1, 3) * [0.03, 0.4, 0.3]
    ramp = np.arange(256)
    hue = ((ramp * gains[0]) % 180).astype(np.uint8)
    saturation = (ramp * gains[1]).clip(0, 255).astype(np.uint8)
    contrast = 1 + rng.uniform(-0.15, 0.15)
    value = ((ramp * gains[2] - 128) * contrast + 128).clip(0, 255).astype(np.uint8)
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
    table = np.stack([hue, saturation, value], -1)[None]
    return cv2.cvtColor(cv2.LUT(hsv, table).astype(np.uint8), cv2.COLOR_HSV2BGR).astype(np.uint8)
