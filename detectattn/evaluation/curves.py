"""What a score threshold buys: precision-recall curves, operating points, confusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.evaluation.align import AlignedDetections
from detectattn.evaluation.average_precision import compute_average_precision, mean_ap
from detectattn.evaluation.match_table import COCO_THRESHOLDS, choose_objects
from detectattn.evaluation.truth import BOOL, F64, GroundTruth
from detectattn.matching import match_boxes
from detectattn.results import ConfusionMatrix, MatchTable, OperatingPoint, PrecisionRecall
from detectattn.types import F32, I32, Detections

# pycocotools' own, which is not quite k / 100.
_RECALLS = np.linspace(0.0, 1.0, 101)
_IOU = 0.5


def compute_precision_recall(table: MatchTable, iou_threshold: float = _IOU) -> PrecisionRecall:
    """Precision against recall, of each class and of all: the points of COCO's average precision.

    Args:
        table: The detections of one model under COCO's matching.
        iou_threshold: One of COCO's, 0.50 to 0.95 in steps of 0.05.
    """
    t = int(np.abs(COCO_THRESHOLDS - iou_threshold).argmin())
    if abs(COCO_THRESHOLDS[t] - iou_threshold) > 1e-6:
        raise ValueError(f"iou_threshold must be one of {COCO_THRESHOLDS.round(2).tolist()}, got {iou_threshold}")
    truths = table.truth_count.sum(axis=0)
    precision = np.zeros((len(truths), len(_RECALLS)))
    score = np.full_like(precision, np.nan)
    for c, count in enumerate(truths.tolist()):
        rows = np.flatnonzero((table.class_index == c) & ~table.ignored[t])
        rows = rows[np.lexsort((table.image[rows], -table.score[rows]))]
        _draw_class(table.matched[t, rows], table.score[rows], count, precision[c], score[c])
    mean = precision.mean(axis=0) if len(truths) else np.zeros(len(_RECALLS))
    return PrecisionRecall(_RECALLS.copy(), mean, table.class_names, precision, score, iou_threshold)


def _draw_class(right: BOOL, score: F32, truths: int, precision_out: F64, score_out: F64) -> None:
    """Fill in one class' curve from its detections, best first."""
    found = np.cumsum(right)
    precision = found / np.arange(1, len(right) + 1)
    best_after = np.maximum.accumulate(precision[::-1])[::-1]
    first = np.searchsorted(found / max(truths, 1), _RECALLS, side="left")
    reached = first < len(right)
    precision_out[reached] = best_after[first[reached]]
    score_out[reached] = score[first[reached]]


def cut_table(table: MatchTable, score: float) -> MatchTable:
    """The table without the detections below a score. Better ones choose first, so theirs are the same matches."""
    kept = table.score >= np.float32(score)
    return MatchTable(
        class_names=table.class_names,
        image=table.image[kept],
        class_index=table.class_index[kept],
        score=table.score[kept],
        matched=table.matched[:, kept],
        ignored=table.ignored[:, kept],
        truth_count=table.truth_count,
    )


def compute_operating_point(table: MatchTable, score: float) -> OperatingPoint:
    """What is right and what is found at a score, all classes pooled, at IoU 0.5.

    Precision is 1 where nothing is kept, recall 0 where there is nothing to find.
    """
    cut = cut_table(table, score)
    right = int(cut.matched[0].sum())
    kept = len(cut.score) - int(cut.ignored[0].sum())
    truths = int(cut.truth_count.sum())
    ap = float(mean_ap(compute_average_precision(cut))) if truths else None
    return OperatingPoint(
        score=float(score),
        precision=right / kept if kept else 1.0,
        recall=right / truths if truths else 0.0,
        f1=2 * right / (kept + truths) if kept + truths else 0.0,
        ap50_95=ap,
    )


def find_best_f1(table: MatchTable) -> OperatingPoint | None:
    """The score at which F1 (pooled, IoU 0.5) is largest, the highest of equals; None where nothing right is found."""
    sweep = _sweep(table)
    if not sweep.right.any():
        return None
    f1 = 2 * sweep.right / (sweep.kept + int(table.truth_count.sum()))
    return compute_operating_point(table, float(sweep.score[f1.argmax()]))


def find_precision(table: MatchTable, precision: float) -> OperatingPoint | None:
    """The score that finds most at a precision (pooled, IoU 0.5) of at least ``precision``; the highest of equals.

    Args:
        table: The detections of one model under COCO's matching.
        precision: 0 to 1.

    Returns:
        None where no score reaches it with something right.
    """
    sweep = _sweep(table)
    # Compared as whole numbers would be: 0.7 itself is no binary fraction.
    eligible = (sweep.right >= precision * sweep.kept - 1e-9) & (sweep.right > 0)
    if not eligible.any():
        return None
    return compute_operating_point(table, float(sweep.score[np.where(eligible, sweep.right, -1).argmax()]))


def find_equal_precision(
    tables: Mapping[str, MatchTable], precision: float | None = None
) -> tuple[float | None, dict[str, OperatingPoint | None]]:
    """Scores at which models are equally precise, so that what each finds can be compared.

    Args:
        tables: Match table by model.
        precision: The precision wanted; None takes the lowest that a model has at its best F1, which all can reach.

    Returns:
        The precision (None where no model finds anything right), and each model's operating point.
    """
    if precision is None:
        best = [point.precision for table in tables.values() if (point := find_best_f1(table)) is not None]
        if not best:
            return None, dict.fromkeys(tables)
        precision = min(best)
    return precision, {name: find_precision(table, precision) for name, table in tables.items()}


@dataclass(frozen=True, slots=True, eq=False)
class _Sweep:
    """Detections that count, cut at every score there is: how many are kept, and right (i64[S], scores falling)."""

    score: F32
    kept: NDArray[np.int64]
    right: NDArray[np.int64]


def _sweep(table: MatchTable) -> _Sweep:
    rows = np.flatnonzero(~table.ignored[0])
    rows = rows[np.argsort(-table.score[rows], kind="stable")]
    score = table.score[rows]
    last_of_equals = np.flatnonzero(np.append(score[1:] != score[:-1], True)) if len(score) else np.zeros(0, np.intp)
    right = np.cumsum(table.matched[0, rows], dtype=np.int64)
    return _Sweep(score[last_of_equals], last_of_equals.astype(np.int64) + 1, right[last_of_equals])


def compute_confusion(truth: GroundTruth, aligned: AlignedDetections, score: float) -> ConfusionMatrix:
    """What objects are taken for by detections from a score on, at IoU 0.5.

    Objects are first given to detections of their own class by COCO's rules, so that the diagonal counts what is right
    at that operating point. What is left on both sides pairs by overlap, whatever the class. Crowds, ignored objects
    and the detections that match them are left aside.

    Args:
        truth: The ground truth.
        aligned: One model's detections, set beside it.
        score: The least score that is kept.
    """
    classes = len(truth.class_names)
    counts = np.zeros((classes + 1, classes + 1), np.int64)
    choices = choose_objects(truth, aligned)
    kept = aligned.score[choices.rows] >= np.float32(score)
    right = choices.matched[0] & kept
    rows = choices.rows[kept & ~choices.matched[0] & ~choices.ignored[0]]
    objects = _list_objects(truth)
    np.add.at(counts, (objects.class_index[choices.object_row[right]], aligned.class_index[choices.rows[right]]), 1)
    unfound = objects.counts.copy()
    unfound[choices.object_row[right]] = False
    pairs = _pair_left_over(aligned, rows, objects, np.flatnonzero(unfound))
    np.add.at(counts, (objects.class_index[pairs[:, 1]], aligned.class_index[pairs[:, 0]]), 1)
    unfound[pairs[:, 1]] = False
    np.add.at(counts[:, classes], objects.class_index[unfound], 1)
    np.add.at(counts[classes], aligned.class_index[np.setdiff1d(rows, pairs[:, 0])], 1)
    return ConfusionMatrix(truth.class_names, counts, float(score), _IOU)


@dataclass(frozen=True, slots=True, eq=False)
class _ObjectList:
    """All objects of the images one after another."""

    image: I32
    class_index: I32
    xyxy: F32
    counts: BOOL


def _list_objects(truth: GroundTruth) -> _ObjectList:
    images = list(truth.images.values())
    return _ObjectList(
        np.repeat(np.arange(len(images), dtype=np.int32), [len(image.class_index) for image in images]),
        np.concatenate([np.zeros(0, np.int32), *(image.class_index for image in images)]),
        np.concatenate([np.zeros((0, 4), np.float32), *(image.xyxy for image in images)]),
        np.concatenate([np.zeros(0, np.bool_), *(image.counts for image in images)]),
    )


def _pair_left_over(
    aligned: AlignedDetections, rows: NDArray[np.intp], objects: _ObjectList, left: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Pairs of a detection's and an object's row that overlap, image by image: intp[K, 2]."""
    pairs = [np.zeros((0, 2), np.intp)]
    rows = rows[np.argsort(aligned.image[rows], kind="stable")]
    for image in np.intersect1d(aligned.image[rows], objects.image[left]).tolist():
        found = rows[slice(*np.searchsorted(aligned.image[rows], [image, image + 1]))]
        there = left[slice(*np.searchsorted(objects.image[left], [image, image + 1]))]
        matches = match_boxes(
            _to_detections(aligned.xyxy[found]), _to_detections(objects.xyxy[there]), _IOU, same_class=False
        )
        pairs.append(np.stack([found[matches.pairs[:, 0]], there[matches.pairs[:, 1]]], axis=1))
    return np.concatenate(pairs)


def _to_detections(xyxy: F32) -> Detections:
    count = len(xyxy)
    return Detections(xyxy, np.ones(count, np.float32), np.zeros(count, np.int32))
