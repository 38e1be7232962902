"""Why a model loses accuracy: TIDE's six kinds of error, and the AP that each costs.

The definitions are those of Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors" (ECCV
2020): every detection that is not right gets one kind, and its cost is what AP at IoU 0.5 would gain were all errors of
that kind, and only those, put right. The costs do not add up to what is missing to 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from detectattn.boxes import compute_area, compute_iou
from detectattn.evaluation.align import AlignedDetections
from detectattn.evaluation.average_precision import interpolate_ap
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.results import ErrorBreakdown, ErrorCost
from detectattn.types import F32, I32, Detections

_NONE = -1
_MAX_DETECTIONS = 100
# TIDE's recalls are k / 100 to the last bit; pycocotools' are a hair above for some k.
_RECALLS = np.arange(101) / 100


def compute_error_breakdown(
    images: Iterable[tuple[ImageTruth, Detections]],
    class_count: int,
    iou_threshold: float = 0.5,
    background_iou: float = 0.1,
) -> ErrorBreakdown:
    """Sort every error of a model into TIDE's kinds.

    Args:
        images: Truth and detections of each image; ``class_id`` of the detections is the truth's class index, and
            detections of no class of the truth (below 0 or beyond) are left out. The best 100 an image count.
        class_count: Number of classes that the truth knows.
        iou_threshold: Overlap at which a detection is right.
        background_iou: Overlap at or below which nothing is there.
    """
    judged = [_judge_image(truth, found, class_count, iou_threshold, background_iou) for truth, found in images]
    rows = _Rows.join([rows for rows, _ in judged])
    truths = _Truths.join([truths for _, truths in judged], class_count)
    ap = rows.compute_ap(truths.counted)
    wrong = rows.right == 0
    perfect = _Rows(rows.class_index, np.where(rows.right == 1, 2.0, 0.0), rows.right, rows.kind, rows.mended)
    gain_precise = perfect.compute_ap(truths.counted) - ap
    gain_complete = rows.compute_ap(truths.counted - truths.unfound) - ap
    costs = {kind: _cost_of_kind(rows, truths, kind, ap) for kind in _Kind}
    missed_gain = rows.compute_ap(truths.counted - truths.missed) - ap
    return ErrorBreakdown(
        ap50=ap,
        classification=costs[_Kind.CLASSIFICATION],
        localisation=costs[_Kind.LOCALISATION],
        both=costs[_Kind.BOTH],
        duplicate=costs[_Kind.DUPLICATE],
        background=costs[_Kind.BACKGROUND],
        missed=ErrorCost(int(truths.missed.sum()), max(0.0, missed_gain)),
        false_positives=ErrorCost(int(wrong.sum()), gain_precise),
        false_negatives=ErrorCost(int(truths.unfound.sum()), gain_complete),
    )


def compute_errors_of(truth: GroundTruth, aligned: AlignedDetections) -> ErrorBreakdown:
    """As :func:`compute_error_breakdown`, of what :func:`~detectattn.evaluation.align.align_predictions` gives."""
    bounds = np.searchsorted(aligned.image, np.arange(len(truth.images) + 1))
    images = (
        (image, Detections(aligned.xyxy[low:high], aligned.score[low:high], aligned.class_index[low:high]))
        for image, low, high in zip(truth.images.values(), bounds[:-1], bounds[1:], strict=True)
    )
    return compute_error_breakdown(images, len(truth.class_names))


class _Kind(IntEnum):
    CLASSIFICATION = 0
    LOCALISATION = 1
    BOTH = 2
    DUPLICATE = 3
    BACKGROUND = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Detections, all i[D] but the score.

    ``right`` is 1, 0 or -1 (ignored); ``kind`` of error or -1; ``mended`` is the class in which it would be right were
    its error put right, -1 where it would go away.
    """

    class_index: NDArray[np.intp]
    score: NDArray[np.float64]
    right: NDArray[np.intp]
    kind: NDArray[np.intp]
    mended: NDArray[np.intp]

    @classmethod
    def join(cls, parts: Sequence[_Rows]) -> _Rows:
        none = np.zeros(0, np.intp)
        parts = [cls(none, np.zeros(0), none, none, none), *parts]
        return cls(
            np.concatenate([p.class_index for p in parts]),
            np.concatenate([p.score for p in parts]),
            np.concatenate([p.right for p in parts]),
            np.concatenate([p.kind for p in parts]),
            np.concatenate([p.mended for p in parts]),
        )

    def compute_ap(self, truths: NDArray[np.intp]) -> float:
        """Mean AP over the classes that have truths or detections, given truths i[C]."""
        counts = self.right != _NONE
        class_index, right = self.class_index[counts], self.right[counts] == 1
        order = np.lexsort((-self.score[counts], class_index))
        bounds = np.searchsorted(class_index[order], np.arange(len(truths) + 1))
        present = [c for c in range(len(truths)) if truths[c] > 0 or bounds[c] < bounds[c + 1]]
        if not present:
            return 0.0
        ranked = right[order]
        by_class = [interpolate_ap(ranked[bounds[c] : bounds[c + 1]], int(truths[c]), _RECALLS) for c in present]
        return float(np.mean(by_class))


@dataclass(frozen=True, slots=True, eq=False)
class _Truths:
    """Objects by class, i[C] each: those that count, those that no detection found, those that none could."""

    counted: NDArray[np.intp]
    unfound: NDArray[np.intp]
    missed: NDArray[np.intp]

    @classmethod
    def join(cls, parts: Sequence[_Truths], class_count: int) -> _Truths:
        none = np.zeros(class_count, np.intp)
        return cls(
            sum((p.counted for p in parts), none),
            sum((p.unfound for p in parts), none),
            sum((p.missed for p in parts), none),
        )


def _cost_of_kind(rows: _Rows, truths: _Truths, kind: _Kind, ap: float) -> ErrorCost:
    of_kind = rows.kind == kind
    kept = ~of_kind | (rows.mended != _NONE)
    better = _Rows(
        class_index=np.where(of_kind, rows.mended, rows.class_index)[kept],
        score=rows.score[kept],
        right=np.where(of_kind, 1, rows.right)[kept],
        kind=rows.kind[kept],
        mended=rows.mended[kept],
    )
    return ErrorCost(int(of_kind.sum()), max(0.0, better.compute_ap(truths.counted) - ap))


def _judge_image(
    truth: ImageTruth, found: Detections, class_count: int, threshold: float, background: float
) -> tuple[_Rows, _Truths]:
    known = np.flatnonzero((found.class_id >= 0) & (found.class_id < class_count))
    order = known[np.argsort(-found.score[known], kind="stable")][:_MAX_DETECTIONS]
    boxes, labels = found.xyxy[order], found.class_id[order]
    counted, aside = truth.counts, ~truth.counts
    objects = truth.class_index[counted]
    overlap = compute_iou(boxes, truth.xyxy[counted])
    same = labels[:, None] == objects
    holder = _match_best_first(overlap * same, threshold)
    right = (holder != _NONE).astype(np.intp)
    inside = _lies_in_region(boxes, labels, truth.xyxy[aside], truth.class_index[aside], threshold)
    right[(right == 0) & inside] = _NONE
    found_already = np.isin(np.arange(len(objects)), holder)
    kind, nearest = _find_kinds(overlap, same, right, found_already, (threshold, background))
    mended, usable = _mend(kind, nearest, found_already, objects)
    rows = _Rows(labels.astype(np.intp), found.score[order].astype(np.float64), right, kind, mended)
    return rows, _Truths(
        counted=np.bincount(objects, minlength=class_count),
        unfound=np.bincount(objects[~found_already], minlength=class_count),
        missed=np.bincount(objects[~found_already & ~usable], minlength=class_count),
    )


def _match_best_first(overlap: F32, threshold: float) -> NDArray[np.intp]:
    """The object that each detection finds, or -1: i[D] of the overlap with objects of its class, f32[D, G]."""
    holder = np.full(len(overlap), _NONE, np.intp)
    if overlap.size == 0:
        return holder
    free = overlap.copy()
    for row in np.flatnonzero(overlap.max(axis=1) >= threshold):
        best = int(free[row].argmax())
        if free[row, best] >= threshold:
            holder[row] = best
            free[:, best] = 0
    return holder


def _lies_in_region(boxes: F32, labels: I32, regions: F32, region_labels: I32, threshold: float) -> NDArray[np.bool_]:
    """Whether more than the threshold of each box lies in a crowd or ignored object of its class: bool[D]."""
    corner = np.maximum(boxes[:, None, :2], regions[None, :, :2])
    far = np.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    shared = np.maximum(far - corner, 0).prod(axis=2)
    area = np.maximum(compute_area(boxes), np.float32(1e-9))[:, None]
    inside: NDArray[np.bool_] = ((shared / area > threshold) & (labels[:, None] == region_labels)).any(axis=1)
    return inside


def _find_kinds(
    overlap: F32,
    same: NDArray[np.bool_],
    right: NDArray[np.intp],
    found_already: NDArray[np.bool_],
    limits: tuple[float, float],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The kind of error of each detection (-1: none), and the object that it should have found: two i[D]."""
    threshold, background = limits
    rows = len(overlap)
    if overlap.shape[1] == 0:
        return np.where(right == 1, _NONE, int(_Kind.BACKGROUND)), np.full(rows, _NONE, np.intp)
    own, other = overlap * same, overlap * ~same
    own_best, other_best = own.max(axis=1), other.max(axis=1)
    tests = [
        right == 1,
        (own_best >= background) & (own_best <= threshold),
        other_best >= threshold,
        (own * found_already).max(axis=1) >= threshold,
        overlap.max(axis=1) <= background,
    ]
    kinds = [_NONE, _Kind.LOCALISATION, _Kind.CLASSIFICATION, _Kind.DUPLICATE, _Kind.BACKGROUND]
    kind = np.select(tests, [int(k) for k in kinds], int(_Kind.BOTH)).astype(np.intp)
    targets = [own.argmax(axis=1), other.argmax(axis=1)]
    nearest = np.select([kind == _Kind.LOCALISATION, kind == _Kind.CLASSIFICATION], targets, _NONE).astype(np.intp)
    return kind, nearest


def _mend(
    kind: NDArray[np.intp], nearest: NDArray[np.intp], found_already: NDArray[np.bool_], objects: I32
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The class in which each detection would be right, i[D] (-1: it would go away), and which objects would be found.

    Of several errors at one object only the best can be put right; the others would be duplicates.
    """
    mended = np.full(len(kind), _NONE, np.intp)
    usable = np.zeros(len(objects), np.bool_)
    for row in np.flatnonzero(nearest != _NONE):
        target = nearest[row]
        if not found_already[target] and not usable[target]:
            usable[target] = True
            mended[row] = objects[target]
    return mended, usable
