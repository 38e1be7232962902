"""COCO's matching of detections to objects, for all images, classes and IoUs at once.

The rules are pycocotools' ``evaluateImg`` (https://github.com/cocodataset/cocoapi): detections choose in the order of
their scores; each takes, of the objects of its class in its image that are free and overlap enough, the one it overlaps
most, and of equals the last. Only where there is none does it look among crowds and ignored objects.

To be fast, the work goes by rank and not by image: first the best detection of every image and class chooses, in one
array operation, then every second one, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.evaluation.align import AlignedDetections, align_predictions
from detectattn.evaluation.exact_boxes import to_exact_ltwh
from detectattn.evaluation.truth import BOOL, F64, GroundTruth
from detectattn.results import MatchTable
from detectattn.types import Prediction

# pycocotools' own: 0.9 is a hair below 0.9. Boxes of whole pixels do hit thresholds exactly.
COCO_THRESHOLDS = np.linspace(0.5, 0.95, 10)
MAX_DETECTIONS = 100
"""Detections an image and class that COCO looks at."""

_MAX_AREA_PX = 1e5**2
_BLOCK_ELEMENTS = 4_000_000
_INDICES = NDArray[np.intp]


def build_match_table(truth: GroundTruth, predictions: Iterable[Prediction]) -> MatchTable:
    """Match a model's detections to the ground truth, once for all metrics of any subset of the images.

    Args:
        truth: The ground truth; its images are those of the table, in its order.
        predictions: One model's records, in any order, with every detection (not only those above ``--conf``).
    """
    return match_detections(truth, align_predictions(truth, predictions))


def match_detections(truth: GroundTruth, aligned: AlignedDetections) -> MatchTable:
    """Match detections that are set beside the ground truth already."""
    truth_count = truth.count_objects()
    present = np.flatnonzero(truth_count.sum(axis=0))
    choices = choose_objects(truth, aligned)
    new_index = np.full(len(truth.class_names), -1, np.int32)
    new_index[present] = np.arange(len(present), dtype=np.int32)
    return MatchTable(
        class_names=tuple(truth.class_names[i] for i in present),
        image=aligned.image[choices.rows],
        class_index=new_index[aligned.class_index[choices.rows]],
        score=aligned.score[choices.rows],
        matched=choices.matched,
        ignored=choices.ignored,
        truth_count=truth_count[:, present],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Which object each detection chose.

    Attributes:
        rows: intp[D], row of :class:`AlignedDetections`: by image and class, best first, at most 100 of each.
        matched: bool[T, D], an object that counts.
        ignored: bool[T, D], a crowd or an ignored object.
        object_row: intp[D], the object that counts chosen at IoU 0.5, by its place among all objects of the images one
            after another; -1 without.
    """

    rows: _INDICES
    matched: BOOL
    ignored: BOOL
    object_row: _INDICES


def choose_objects(truth: GroundTruth, aligned: AlignedDetections) -> Choices:
    """Let detections choose objects by COCO's rules, at all of its IoUs."""
    objects = _Objects.of(truth)
    ranked = _rank(aligned, len(truth.class_names))
    matched = np.zeros((len(COCO_THRESHOLDS), len(ranked.rows)), np.bool_)
    choices = Choices(ranked.rows, matched, np.zeros_like(matched), np.full(len(ranked.rows), -1))
    for block in _iter_blocks(ranked, objects):
        block.choose(choices)
    choices.ignored[:, _area(ranked.ltwh) > _MAX_AREA_PX] |= ~matched[:, _area(ranked.ltwh) > _MAX_AREA_PX]
    return choices


@dataclass(frozen=True, slots=True, eq=False)
class _Objects:
    """All objects, those of one image and class (a group) together, in their own order within it.

    Attributes:
        row: intp[G], place among all objects of the images one after another.
        group: i64[G], image and class, ascending.
        ltwh: f64[G, 4], left, top, width, height.
        counts: bool[G], is one to be found.
        reusable: bool[G], may be chosen any number of times.
        crowd: bool[G], overlaps as crowds do.
    """

    row: _INDICES
    group: NDArray[np.int64]
    ltwh: F64
    counts: BOOL
    reusable: BOOL
    crowd: BOOL

    @classmethod
    def of(cls, truth: GroundTruth) -> _Objects:
        images = list(truth.images.values())
        empty = np.zeros(0, np.int64)
        group = np.concatenate([empty, *(i * len(truth.class_names) + t.class_index for i, t in enumerate(images))])
        xyxy = np.concatenate([np.zeros((0, 4), np.float32), *(t.xyxy for t in images)])
        crowd = np.concatenate([np.zeros(0, np.bool_), *(t.crowd for t in images)])
        reusable = np.concatenate([np.zeros(0, np.bool_), *(~t.counts for t in images)])
        area = np.concatenate([np.zeros(0), *(t.area for t in images)])
        counts = ~reusable & (area >= 0) & (area <= _MAX_AREA_PX)
        order = np.argsort(group, kind="stable")
        return cls(order, group[order], to_exact_ltwh(xyxy[order]), counts[order], reusable[order], crowd[order])


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """Detections by group and, within each, best first, at most 100.

    Attributes:
        rows: intp[D], row of :class:`AlignedDetections`.
        group: i64[D], image and class, ascending.
        rank: intp[D], place within the group from 0.
        ltwh: f64[D, 4], left, top, width, height.
    """

    rows: _INDICES
    group: NDArray[np.int64]
    rank: _INDICES
    ltwh: F64


def _rank(aligned: AlignedDetections, class_count: int) -> _Ranked:
    group = aligned.image.astype(np.int64) * class_count + aligned.class_index
    order = np.lexsort((-aligned.score, group))
    group = group[order]
    rank = np.arange(len(group)) - np.searchsorted(group, group)
    kept = rank < MAX_DETECTIONS
    rows = order[kept]
    return _Ranked(rows, group[kept], rank[kept], to_exact_ltwh(aligned.xyxy[rows]))


def _iter_blocks(ranked: _Ranked, objects: _Objects) -> Iterator[_Block]:
    """Groups that have both detections and objects, in blocks of like numbers of objects that fit in memory."""
    groups = np.intersect1d(ranked.group, objects.group)
    first = np.searchsorted(objects.group, groups)
    size = np.searchsorted(objects.group, groups, side="right") - first
    detections = np.searchsorted(ranked.group, groups)
    found = np.searchsorted(ranked.group, groups, side="right") - detections
    order = np.lexsort((found, size))
    start = 0
    while start < len(order):
        # Sizes ascend, so that a block holds less than twice what it needs.
        limit = max(1, _BLOCK_ELEMENTS // (2 * int(size[order[start]]) * len(COCO_THRESHOLDS)))
        stop = int(np.searchsorted(size[order], 2 * size[order[start]]))
        part = order[start : min(max(stop, start + 1), start + limit)]
        yield _Block(ranked, objects, first[part], size[part], detections[part], found[part])
        start += len(part)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Some groups: where their objects and detections start, and how many there are of each (all intp[N])."""

    ranked: _Ranked
    objects: _Objects
    first_object: _INDICES
    object_count: _INDICES
    first_detection: _INDICES
    detection_count: _INDICES

    def choose(self, choices: Choices) -> None:
        """Let detections choose, rank by rank; fills in ``choices``."""
        width = int(self.object_count.max())
        # Columns from the last object to the first: argmax finds the first of equals.
        offset = self.object_count[:, None] - 1 - np.arange(width)
        there = offset >= 0
        column = self.first_object[:, None] + np.maximum(offset, 0)
        counts = there & self.objects.counts[column]
        other = there & ~self.objects.counts[column]
        reusable = self.objects.reusable[column]
        free = np.ones((len(COCO_THRESHOLDS), *column.shape), np.bool_)
        for rank in range(int(self.detection_count.max())):
            groups = np.flatnonzero(self.detection_count > rank)
            rows = self.first_detection[groups] + rank
            iou = _overlap(self.ranked.ltwh[rows], self.objects, column[groups])
            chosen, is_right = _take_best(iou, counts[groups], free, groups)
            choices.matched[:, rows] = is_right
            object_row = self.objects.row[column[groups, chosen[0]]]
            choices.object_row[rows] = np.where(is_right[0], object_row, -1)
            _occupy(free, groups, chosen, is_right)
            if other[groups].any():
                chosen, is_ignored = _take_best(iou, other[groups], free, groups)
                is_ignored &= ~is_right
                choices.ignored[:, rows] = is_ignored
                _occupy(free, groups, chosen, is_ignored & ~reusable[groups, chosen])


def _take_best(iou: F64, eligible: BOOL, free: BOOL, groups: _INDICES) -> tuple[_INDICES, BOOL]:
    """The best eligible, free object for each group at each IoU: column intp[T, N], and whether there is one."""
    overlap = np.where(eligible, iou, -1.0)
    candidates = np.where(free[:, groups], overlap, -1.0)
    candidates[candidates < _thresholds()[:, None, None]] = -1.0
    chosen = candidates.argmax(axis=2)
    best = np.take_along_axis(candidates, chosen[..., None], axis=2)[..., 0]
    return chosen, best >= 0


def _occupy(free: BOOL, groups: _INDICES, chosen: _INDICES, taken: BOOL) -> None:
    threshold, place = np.nonzero(taken)
    free[threshold, groups[place], chosen[threshold, place]] = False


def _thresholds() -> F64:
    thresholds: F64 = np.minimum(COCO_THRESHOLDS, 1 - 1e-10)
    return thresholds


def _overlap(ltwh: F64, objects: _Objects, column: _INDICES) -> F64:
    """COCO's overlap f64[N, G] of one detection f64[N, 4] and the objects of each group.

    Intersection over union; for crowds, over the detection's own area.
    """
    box, one = objects.ltwh[column], ltwh[:, None]
    # As COCO's own code has it, to the last digit.
    end = np.minimum(one[..., :2] + one[..., 2:], box[..., :2] + box[..., 2:])
    shared_wh = end - np.maximum(one[..., :2], box[..., :2])
    shared = shared_wh[..., 0] * shared_wh[..., 1]
    area = _area(one)
    union = np.where(objects.crowd[column], area, area + _area(box) - shared)
    touching = (shared_wh > 0).all(axis=-1)
    overlap: F64 = np.divide(shared, union, out=np.zeros_like(shared), where=touching & (union > 0))
    return overlap


def _area(ltwh: F64) -> F64:
    area: F64 = ltwh[..., 2] * ltwh[..., 3]
    return area
