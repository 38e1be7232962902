"""Geometry of axis-aligned boxes, in pure numpy.

Three forms: ``xyxy`` is left, top, right, bottom; ``xywh`` is centre, width, height (what heads put out and YOLO labels
hold); ``ltwh`` is left, top, width, height (what COCO files hold). Coordinates are continuous: a box that covers one
whole pixel is one wide, and the picture spans 0 to its width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectattn.types import F32

_BLOCK = 256


def xywh_to_xyxy(xywh: F32) -> F32:
    """Centre form f32[N, 4] to corners f32[N, 4], in the same units."""
    half = xywh[:, 2:] / 2
    return np.concatenate([xywh[:, :2] - half, xywh[:, :2] + half], axis=1)


def xyxy_to_xywh(xyxy: F32) -> F32:
    """Corners f32[N, 4] to centre form f32[N, 4], in the same units."""
    return np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def ltwh_to_xyxy(ltwh: F32) -> F32:
    """COCO's left, top, width, height f32[N, 4] to corners f32[N, 4], in the same units."""
    return np.concatenate([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]], axis=1)


def xyxy_to_ltwh(xyxy: F32) -> F32:
    """Corners f32[N, 4] to COCO's left, top, width, height f32[N, 4], in the same units."""
    return np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def clip_boxes(xyxy: F32, hw: tuple[int, int]) -> F32:
    """Boxes f32[N, 4] in pixels, cut at the edges of a picture of that height and width; a copy."""
    height, width = hw
    return np.clip(xyxy, 0, np.array([width, height, width, height], xyxy.dtype))


def compute_area(xyxy: F32) -> F32:
    """Area f32[N] of boxes f32[N, 4], in their units squared; 0 where a side is negative."""
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    area: F32 = sides[:, 0] * sides[:, 1]
    return area


def compute_iou(a: F32, b: F32) -> F32:
    """Intersection over union of every pair.

    Args:
        a: f32[N, 4] xyxy.
        b: f32[M, 4] xyxy, in the same frame.

    Returns:
        f32[N, M], 0 to 1; 0 for a pair of boxes without area.
    """
    return _pairwise_iou(_Columns.of(a), _Columns.of(b))


def suppress(xyxy: F32, score: F32, iou_threshold: float, max_keep: int) -> NDArray[np.intp]:
    """Greedy non-maximum suppression, as ``torchvision.ops.nms`` does it.

    The best box is kept and every box that overlaps it by strictly more than the threshold is dropped; then the best of
    the rest, and so on. Of equal scores the first comes first.

    Args:
        xyxy: f32[N, 4], in any frame.
        score: f32[N].
        iou_threshold: Overlap above which the lesser box goes.
        max_keep: Stop when so many are kept.

    Returns:
        Rows kept, intp[K], by descending score.
    """
    return _suppress(xyxy, score, None, iou_threshold, max_keep)


def suppress_by_class(
    xyxy: F32, score: F32, class_id: NDArray[Any], iou_threshold: float, max_keep: int
) -> NDArray[np.intp]:
    """As :func:`suppress`, but a box is dropped only by a better one of its own class (``class_id``, integers [N])."""
    return _suppress(xyxy, score, class_id, iou_threshold, max_keep)


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Boxes as four contiguous columns: several times faster than strided rows."""

    left: F32
    top: F32
    right: F32
    bottom: F32
    area: F32

    @classmethod
    def of(cls, xyxy: F32) -> _Columns:
        left, top, right, bottom = np.ascontiguousarray(xyxy.T, np.float32)
        return cls(left, top, right, bottom, compute_area(xyxy).astype(np.float32, copy=False))

    def __getitem__(self, rows: slice | NDArray[Any]) -> _Columns:
        return _Columns(self.left[rows], self.top[rows], self.right[rows], self.bottom[rows], self.area[rows])


def _pairwise_iou(a: _Columns, b: _Columns) -> F32:
    width = np.minimum(a.right[:, None], b.right) - np.maximum(a.left[:, None], b.left)
    height = np.minimum(a.bottom[:, None], b.bottom) - np.maximum(a.top[:, None], b.top)
    shared: F32 = np.maximum(width, 0, out=width)
    shared *= np.maximum(height, 0, out=height)
    union = a.area[:, None] + b.area - shared
    iou: F32 = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return iou


def _suppress(
    xyxy: F32, score: F32, class_id: NDArray[Any] | None, iou_threshold: float, max_keep: int
) -> NDArray[np.intp]:
    # Block by block down the ranking: a block is first thinned by the boxes kept so far, then within itself. The tail
    # of the ranking is never looked at once max_keep boxes are found.
    order: NDArray[np.intp] = np.argsort(-score, kind="stable")
    ranked = _Columns.of(xyxy[order])
    labels = None if class_id is None else class_id[order]
    kept = np.zeros(0, np.intp)
    for start in range(0, len(order), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(order)))
        if len(kept):
            block = block[~_overlaps(ranked, labels, kept, block, iou_threshold).any(axis=0)]
        survivors = _thin(_overlaps(ranked, labels, block, block, iou_threshold))
        kept = np.concatenate([kept, block[survivors]])
        if len(kept) >= max_keep:
            break
    return order[kept[:max_keep]]


def _overlaps(
    ranked: _Columns, labels: NDArray[Any] | None, a: NDArray[np.intp], b: NDArray[np.intp], iou_threshold: float
) -> NDArray[np.bool_]:
    """Whether each of ``a`` would suppress each of ``b`` if it came first: bool[len(a), len(b)]."""
    # Compared in float32, as torch compares it: 0.7 is not the same number in both precisions.
    overlapping = _pairwise_iou(ranked[a], ranked[b]) > np.float32(iou_threshold)
    if labels is not None:
        overlapping &= labels[a][:, None] == labels[b]
    return overlapping


def _thin(overlapping: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rows that survive greedy suppression among themselves, given who overlaps whom."""
    later = np.triu(overlapping, k=1)
    alive = np.ones(len(overlapping), np.bool_)
    for row in np.flatnonzero(later.any(axis=1)):
        if alive[row]:
            alive &= ~later[row]
    return np.flatnonzero(alive)
