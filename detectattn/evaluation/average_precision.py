"""COCO's average precision from a match table, for any multiset of its images, thousands of times over.

A resample of the images is a weight an image: how many times it was drawn. Detections are ranked once. Precision only
has to be known where a detection is right (between two right ones it only falls), so of every resample the work at each
IoU is proportional to the right detections, not to all of them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from detectattn.results import IOU_THRESHOLDS, MatchTable
from detectattn.types import F32, I32

F64 = NDArray[np.float64]

# pycocotools' own: 0.01 times k, which is a hair above k / 100 for some k. Equal figures need the same hair.
_RECALLS = np.linspace(0.0, 1.0, 101)
_BATCH_ELEMENTS = 1 << 16
_THREADS = 2


class RankedMatches:
    """A match table made ready for weighted average precision.

    Args:
        table: The detections of one model under COCO's matching.
    """

    def __init__(self, table: MatchTable) -> None:
        classes, thresholds = len(table.class_names), len(IOU_THRESHOLDS)
        # Equal scores stay in the order of the images, as pycocotools' stable sort leaves them.
        order = np.lexsort((table.image, -table.score, table.class_index))
        ranked_class = table.class_index[order]
        self.table = table
        self._image = table.image[order]
        self._class_start = np.searchsorted(ranked_class, np.arange(classes))
        ignored = table.ignored[:, order]
        iou_right, self._right = np.nonzero(table.matched[:, order] & ~ignored)
        iou_ignored, self._ignored = np.nonzero(ignored)
        # A segment is one IoU and class; right and ignored detections lie in it best first.
        segment = iou_right * classes + ranked_class[self._right]
        ignored_segment = iou_ignored * classes + ranked_class[self._ignored]
        self._segments, self._start, self._length = _find_runs(segment)
        self._ignored_start = np.searchsorted(ignored_segment, self._segments)
        rows = len(ranked_class)
        self._ignored_before = np.searchsorted(
            iou_ignored * rows + self._ignored, iou_right * rows + self._right, side="left"
        )
        self._segment_count = thresholds * classes

    def compute(self, weights: I32 | None = None, threads: int = _THREADS) -> F32:
        """Average precision of every multiset of images, at every IoU, of every class.

        COCO's definition: the mean over 101 recalls (0, 0.01, … 1) of the best precision at that recall or a higher
        one, 0 where the recall is not reached (Lin et al., "Microsoft COCO", 2014; pycocotools' ``accumulate``).

        Args:
            weights: i32[B, I], how many times each image counts; once each (B = 1) where None.
            threads: How many batches are worked on at once.

        Returns:
            f32[B, T, C], NaN for a class without truths in the images that count.
        """
        images = self.table.image_count
        if weights is None:
            weights = np.ones((1, images), np.int32)
        if weights.ndim != 2 or weights.shape[1] != images:
            raise ValueError(f"weights must be i32[B, {images}], got {weights.dtype}{list(weights.shape)}")
        step = max(1, _BATCH_ELEMENTS // max(1, len(self._image) + len(self._right)))
        batches = [weights[i : i + step] for i in range(0, len(weights), step)]
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(self._compute_batch, batches))
        shape = (0, len(IOU_THRESHOLDS), len(self.table.class_names))
        return np.concatenate([np.empty(shape, np.float32), *parts])

    def _compute_batch(self, weights: I32) -> F32:
        batch, classes = len(weights), len(self.table.class_names)
        truths = weights.astype(np.float64) @ self.table.truth_count
        average = np.zeros((batch, self._segment_count), np.float32)
        if len(self._right):
            right, seen = self._count_right_and_seen(weights)
            precision = np.divide(right, np.maximum(seen, 1, out=seen))
            share = self._share_of_recalls(right, truths)
            share *= self._raise_to_best_after(precision)
            average[:, self._segments] = np.add.reduceat(share, self._start, axis=1) / len(_RECALLS)
        by_class = average.reshape(batch, len(IOU_THRESHOLDS), classes)
        by_class[np.broadcast_to((truths == 0)[:, None, :], by_class.shape)] = np.nan
        return by_class

    def _count_right_and_seen(self, weights: I32) -> tuple[I32, I32]:
        """How many right detections, and how many that count, rank down to each right one: two i32[B, P]."""
        weight = np.take(weights, self._image, axis=1)
        ranked = _cumulate_from_zero(weight)
        right = np.cumsum(np.take(weight, self._right, axis=1), axis=1, dtype=np.int32)
        segment_class = self._segments % len(self.table.class_names)
        before_class = np.take(ranked, self._class_start[segment_class], axis=1)
        seen = np.take(ranked, self._right + 1, axis=1)
        if len(self._ignored):
            ignored = _cumulate_from_zero(np.take(weight, self._ignored, axis=1))
            seen -= np.take(ignored, self._ignored_before, axis=1)
            before_class = before_class - np.take(ignored, self._ignored_start, axis=1)
        seen -= np.repeat(before_class, self._length, axis=1)
        before = np.zeros((len(weights), len(self._start)), np.int32)
        before[:, 1:] = right[:, self._start[1:] - 1]
        right -= np.repeat(before, self._length, axis=1)
        return right, seen

    def _share_of_recalls(self, right: I32, truths: F64) -> F64:
        """How many of the 101 recalls are first reached at each right detection: f64[B, P]."""
        segment_truths = np.maximum(truths, 1)[:, self._segments % truths.shape[1]]
        recall: F64 = right / np.repeat(segment_truths, self._length, axis=1)
        reached = (recall * 100 + 1e-7).astype(np.int32)
        reached -= _RECALLS[reached] > recall
        # Recall 0 is reached by the first detection that is there, a weight of 0 reaches nothing.
        reached += right > 0
        share = reached.astype(np.float64)
        share[:, 1:] -= reached[:, :-1]
        share[:, self._start] = reached[:, self._start]
        return share

    def _raise_to_best_after(self, precision: F64) -> F64:
        """The best precision at or after each right detection of its segment: f64[B, P]."""
        # Later segments get smaller offsets, so that a running maximum from the end starts anew in each.
        offset = np.repeat(2.0 * np.arange(len(self._start), 0, -1), self._length)
        precision += offset
        best: F64 = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        best -= offset
        return best


def mean_ap(ap: F32) -> F64:
    """COCO's AP: the mean over IoUs and the classes that have truths; f64[...] of f32[..., T, C], NaN without any."""
    return _mean_known(ap, (-2, -1))


def mean_ap50(ap: F32) -> F64:
    """AP at IoU 0.5: the mean over the classes that have truths; f64[...] of f32[..., T, C], NaN without any."""
    return _mean_known(ap[..., 0, :], (-1,))


def class_ap(ap: F32) -> F64:
    """AP of each class: the mean over IoUs; f64[..., C] of f32[..., T, C], NaN for a class without truths."""
    by_class: F64 = ap.mean(axis=-2, dtype=np.float64)
    return by_class


def compute_average_precision(table: MatchTable) -> F32:
    """Average precision on all images of a table: f32[T, C], NaN for a class without truths."""
    ap: F32 = RankedMatches(table).compute(threads=1)[0]
    return ap


def interpolate_ap(right: NDArray[np.bool_], truths: int, recalls: F64 = _RECALLS) -> float:
    """Average precision of one ranking: the mean of the best precision at some recalls or higher ones.

    Args:
        right: bool[D], whether each detection is right, best score first.
        truths: How many objects there are to find; 0 gives 0.
        recalls: f64[K]; pycocotools' 101 unless given.
    """
    if truths == 0 or not right.any():
        return 0.0
    found = np.cumsum(right)
    best = np.maximum.accumulate((found / np.arange(1, len(right) + 1))[::-1])[::-1]
    first = np.searchsorted(found / truths, recalls, side="left")
    return float(best[first[first < len(right)]].sum() / len(recalls))


def _mean_known(values: F32, axes: tuple[int, ...]) -> F64:
    known = ~np.isnan(values)
    count = known.sum(axis=axes)
    total = np.where(known, values, 0).sum(axis=axes, dtype=np.float64)
    mean: F64 = np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
    return mean


def _find_runs(values: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """The distinct values of an ascending array, where each starts, and how many there are of it."""
    distinct, start, length = np.unique(values, return_index=True, return_counts=True)
    return distinct, start, length


def _cumulate_from_zero(values: I32) -> I32:
    """Running totals along rows with a leading 0: i32[B, N + 1] of i32[B, N]."""
    totals = np.zeros((len(values), values.shape[1] + 1), np.int32)
    np.cumsum(values, axis=1, out=totals[:, 1:])
    return totals
