"""Turn raw head outputs into detections, in numpy, keeping the row each one came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.boxes import clip_boxes, suppress_by_class, xywh_to_xyxy
from detectattn.engines.base import HeadLayout
from detectattn.types import F32, Detections, Resize
from detectattn.weights.class_names import MAX_CLASSES

MAX_CANDIDATES = 30_000
END2END_ROWS = 300


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Which detections are kept.

    Attributes:
        conf: Keep scores above this.
        iou: Suppress a box that overlaps a better one of its class by more than this (heads without NMS of their own
            only; RT-DETR and end-to-end heads do not need it).
        max_det: Keep at most this many, the best.
        class_ids: Keep only these classes; None for all.
        multi_label: Let one box carry several classes (as an AP evaluation does) instead of its best one.
    """

    conf: float = 0.25
    iou: float = 0.7
    max_det: int = 300
    class_ids: tuple[int, ...] | None = None
    multi_label: bool = False

    def __post_init__(self) -> None:
        for name, value in (("conf", self.conf), ("iou", self.iou)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must be a number from 0 to 1, and is {value!r}")
        if not self.max_det > 0:
            raise ValueError(f"max_det must be above 0, and is {self.max_det!r}")


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Candidates of one image: boxes f32[N, 4], score f32[N], class and raw row i64[N]."""

    xyxy: F32
    score: F32
    class_id: NDArray[np.int64]
    row: NDArray[np.int64] | None

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> _Rows:
        row = None if self.row is None else self.row[index]
        return _Rows(self.xyxy[index], self.score[index], self.class_id[index], row)


def decode_detections(
    layout: HeadLayout, outputs: tuple[F32, ...], resizes: tuple[Resize, ...], thresholds: Thresholds
) -> list[Detections]:
    """Detections of every image of a batch, boxes in image pixels.

    Args:
        layout: How ``outputs`` is to be read:
            ``yolo_dense`` [B, 4+C, A], xywh in network pixels, NMS to be done;
            ``yolo_one2one`` [B, A, 4+C], xyxy in network pixels, top-k to be done;
            ``yolo_end2end`` [B, K, 6], xyxy in network pixels, score, class;
            ``rtdetr_dense`` boxes [B, Q, 4] normalised cxcywh and scores [B, Q, C] (or one array [B, Q, 4+C]);
            ``rtdetr_topk`` [B, K, 6], normalised cxcywh, score, class.
        outputs: Raw head outputs; rows of the batch beyond ``resizes`` are padding.
        resizes: How each image was fitted.
        thresholds: What is kept.
    """
    decode = _DECODERS[layout]
    return [decode(tuple(output[i] for output in outputs), resize, thresholds) for i, resize in enumerate(resizes)]


def _decode_yolo_dense(raw: tuple[F32, ...], resize: Resize, keep: Thresholds) -> Detections:
    table = raw[0]
    scores = table[4:]
    anchors = np.flatnonzero(scores.max(axis=0, initial=0) > keep.conf)
    scores = scores[:, anchors]
    if keep.multi_label:
        column, class_id = np.nonzero(scores.T > keep.conf)
        score = scores[class_id, column]
    else:
        class_id = scores.argmax(axis=0)
        column = np.arange(len(anchors))
        score = scores[class_id, column]
    row = anchors[column]
    rows = _Rows(xywh_to_xyxy(np.ascontiguousarray(table[:4, row].T)), score, class_id, row)
    rows = _only_classes(rows, keep)
    if len(rows.score) > MAX_CANDIDATES:
        rows = rows.take(np.argsort(-rows.score, kind="stable")[:MAX_CANDIDATES])
    rows = rows.take(suppress_by_class(rows.xyxy, rows.score, rows.class_id, keep.iou, keep.max_det))
    return _finish(rows, clip_boxes(resize.to_image(rows.xyxy), resize.image_hw))


def _decode_yolo_one2one(raw: tuple[F32, ...], resize: Resize, keep: Thresholds) -> Detections:
    xyxy, scores = raw[0][:, :4], raw[0][:, 4:]
    limit = max(keep.max_det, END2END_ROWS)
    # The head's own selection: the best anchors by their best class, then the best (anchor, class) pairs of those.
    anchors = _top(scores.max(axis=1), limit)
    pairs = _top(scores[anchors].ravel(), limit)
    row, class_id = anchors[pairs // scores.shape[1]], pairs % scores.shape[1]
    rows = _above(_Rows(xyxy[row], scores[row, class_id], class_id, row), keep)
    return _finish(rows, clip_boxes(resize.to_image(rows.xyxy), resize.image_hw))


def _decode_yolo_end2end(raw: tuple[F32, ...], resize: Resize, keep: Thresholds) -> Detections:
    table = _with_classes(raw[0])
    rows = _above(_Rows(table[:, :4], table[:, 4], table[:, 5].astype(np.int64), None), keep)
    return _finish(rows, clip_boxes(resize.to_image(rows.xyxy), resize.image_hw))


def _decode_rtdetr_dense(raw: tuple[F32, ...], resize: Resize, keep: Thresholds) -> Detections:
    boxes, scores = raw if len(raw) == 2 else (raw[0][:, :4], raw[0][:, 4:])
    # As the head does: the best (query, class) pairs, as many as there are queries.
    pairs = _top(scores.ravel(), len(boxes))
    row, class_id = pairs // scores.shape[1], pairs % scores.shape[1]
    rows = _above(_Rows(xywh_to_xyxy(boxes[row]), scores[row, class_id], class_id, row), keep)
    return _finish(rows, _denormalise(rows.xyxy, resize))


def _decode_rtdetr_topk(raw: tuple[F32, ...], resize: Resize, keep: Thresholds) -> Detections:
    table = _with_classes(raw[0])
    rows = _Rows(xywh_to_xyxy(table[:, :4]), table[:, 4], table[:, 5].astype(np.int64), None)
    rows = _above(rows, keep)
    return _finish(rows, _denormalise(rows.xyxy, resize))


_DECODERS = {
    "yolo_dense": _decode_yolo_dense,
    "yolo_one2one": _decode_yolo_one2one,
    "yolo_end2end": _decode_yolo_end2end,
    "rtdetr_dense": _decode_rtdetr_dense,
    "rtdetr_topk": _decode_rtdetr_topk,
}


def _with_classes(table: F32) -> F32:
    """Rows of a graph that writes class numbers itself (f32[N, 6]) whose number can be that of a class."""
    return table[(table[:, 5] >= 0) & (table[:, 5] < MAX_CLASSES)]


def _top(values: F32, k: int) -> NDArray[np.intp]:
    """Indices of the ``k`` largest, descending, the first of equals first."""
    if k < len(values):
        # Everything tied with the k-th is a candidate, so that ties are cut by position and not by partition order.
        floor = np.partition(values, len(values) - k)[len(values) - k]
        candidates = np.flatnonzero(values >= floor)
    else:
        candidates = np.arange(len(values))
    order: NDArray[np.intp] = candidates[np.argsort(-values[candidates], kind="stable")]
    return order[:k]


def _only_classes(rows: _Rows, keep: Thresholds) -> _Rows:
    return rows if keep.class_ids is None else rows.take(np.isin(rows.class_id, keep.class_ids))


def _above(rows: _Rows, keep: Thresholds) -> _Rows:
    """Best first, above the confidence, of the wanted classes, at most ``max_det``."""
    rows = _only_classes(rows.take(rows.score > keep.conf), keep)
    return rows.take(np.argsort(-rows.score, kind="stable")[: keep.max_det])


def _denormalise(xyxy: F32, resize: Resize) -> F32:
    """Boxes in 0..1 to image pixels. Not clipped: a box may reach a little over the edge, as its query put it."""
    height, width = resize.net_hw
    return resize.to_image(xyxy * np.array([width, height, width, height], np.float32))


def _finish(rows: _Rows, xyxy: F32) -> Detections:
    query_id = None if rows.row is None else rows.row.astype(np.int32)
    return Detections(
        np.ascontiguousarray(xyxy, np.float32),
        np.ascontiguousarray(rows.score, np.float32),
        rows.class_id.astype(np.int32),
        query_id,
    )
