"""From records to pictures side by side: which box is whose, and what ground truth says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.boxes import compute_iou
from detectattn.drawing.families import TRUTH_COLOR, family_colors
from detectattn.drawing.marked_boxes import Mark, MarkedBox
from detectattn.drawing.side_by_side import Panel
from detectattn.evaluation.agreement import Agreement, ImageAgreement
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.types import F32, I32, Detections, Family, Prediction

_MIN_IOU = 0.5
_NONE = -1
_BOOL = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """One model's detections against what is really there.

    Attributes:
        wrong: bool[N], detections that are of no object.
        uncounted: bool[N], detections that are neither right nor wrong.
        found: bool[M], objects that it finds.
    """

    wrong: _BOOL
    uncounted: _BOOL
    found: _BOOL


@dataclass(frozen=True, slots=True, eq=False)
class _Objects:
    """The objects of a picture in the terms of the models.

    Attributes:
        xyxy: f32[M, 4] in pixels.
        class_index: i32[M], index into the class names of the models; -1 for a class that not all of them know.
        counts: bool[M], whether an object is to be found.
        group: bool[M], whether any number of detections may lie inside it.
        names: What the ground truth calls each.
        judged: bool[C], by class of the models, whether the ground truth knows it.
    """

    xyxy: F32
    class_index: I32
    counts: _BOOL
    group: _BOOL
    names: tuple[str, ...]
    judged: _BOOL


def build_panels(
    image: ImageAgreement,
    agreement: Agreement,
    truth: GroundTruth | None = None,
    families: Mapping[str, Family | None] | None = None,
) -> tuple[Panel, ...]:
    """One panel a model, after one for the ground truth where it covers the picture.

    A detection is right where it overlaps an object of its class by half or more, best score first, each object once.
    Classes without an object in all these images are not judged, as accuracy does not judge them; objects of classes
    that not all models know, crowds and ignored ones do not count.

    Args:
        image: What the models find in one picture.
        agreement: What that picture is of.
        truth: What is in the pictures.
        families: Of each model, for its colour; a model that is missing, or None, is grey.
    """
    families = families or {}
    colors = family_colors([families.get(model) for model in agreement.models])
    finders = (image.objects != _NONE).sum(axis=1)
    objects = _find_objects(truth, (image.source, image.index), agreement.class_names)
    judged = [_judge(found, objects) for found in image.found]
    panels = [] if objects is None else [_truth_panel(objects, judged)]
    for k, (model, found) in enumerate(zip(agreement.models, image.found, strict=True)):
        rows = image.objects[:, k]
        by_row = np.zeros(len(found), np.int64)
        by_row[rows[rows != _NONE]] = finders[rows != _NONE]
        marks = [Mark.ALL if n == len(agreement.models) else Mark.ONE if n == 1 else Mark.SOME for n in by_row.tolist()]
        boxes = _list_boxes(found, agreement.class_names, marks, objects, judged[k])
        panels.append(Panel(model, colors[k], tuple(boxes)))
    return tuple(panels)


def build_lone_panels(
    prediction: Prediction, min_score: float, truth: GroundTruth | None = None, family: Family | None = None
) -> tuple[Panel, ...]:
    """As :func:`build_panels`, for a study of one model: what it finds from ``min_score`` on, and what is there."""
    ids = sorted(prediction.class_names)
    names = tuple(prediction.class_names[i] for i in ids)
    index_of = {class_id: index for index, class_id in enumerate(ids)}
    kept = prediction.detections.take(prediction.detections.score >= min_score)
    class_index = np.array([index_of.get(c, _NONE) for c in kept.class_id.tolist()], np.int32).reshape(-1)
    kept = kept.take(class_index != _NONE)
    found = Detections(kept.xyxy, kept.score, class_index[class_index != _NONE])
    objects = _find_objects(truth, (prediction.source, prediction.index), names)
    judged = _judge(found, objects)
    boxes = _list_boxes(found, names, [Mark.FOUND] * len(found), objects, judged)
    panel = Panel(prediction.model, family_colors([family])[0], tuple(boxes))
    return (panel,) if objects is None else (_truth_panel(objects, [judged]), panel)


def _find_objects(truth: GroundTruth | None, key: tuple[str, int], class_names: Sequence[str]) -> _Objects | None:
    there = None if truth is None else truth.images.get(key)
    if truth is None or there is None:
        return None
    shown = _shown_classes(truth)
    own_index = {truth.find_class(name): index for index, name in enumerate(class_names)}
    index = np.array([own_index.get(c, _NONE) for c in there.class_index.tolist()], np.int32).reshape(-1)
    judged = np.array([truth.find_class(name) in shown for name in class_names], np.bool_).reshape(-1)
    names = tuple(truth.class_names[c] for c in there.class_index.tolist())
    return _Objects(there.xyxy, index, there.counts & (index != _NONE), there.crowd, names, judged)


def _shown_classes(truth: GroundTruth) -> set[int | None]:
    """Classes that have an object to be found in any of the images."""
    return {int(c) for image in truth.images.values() for c in np.unique(_counted(image))}


def _counted(image: ImageTruth) -> I32:
    counted: I32 = image.class_index[image.counts]
    return counted


def _judge(found: Detections, objects: _Objects | None) -> _Judged:
    if objects is None:
        unknown = np.zeros(len(found), np.bool_)
        return _Judged(unknown, unknown, np.zeros(0, np.bool_))
    iou = compute_iou(found.xyxy, objects.xyxy)
    fits = (iou >= np.float32(_MIN_IOU)) & (found.class_id[:, None] == objects.class_index)
    taken = np.zeros(len(objects.xyxy), np.bool_)
    right = np.zeros(len(found), np.bool_)
    for row in np.argsort(-found.score, kind="stable"):
        free = fits[row] & objects.counts & ~taken
        if free.any():
            right[row] = True
            taken[np.where(free, iou[row], -1).argmax()] = True
    spared = (fits & ~objects.counts).any(axis=1) | _lies_in_group(found, objects) | ~objects.judged[found.class_id]
    return _Judged(~right & ~spared, ~right & spared, taken)


def _lies_in_group(found: Detections, objects: _Objects) -> _BOOL:
    """bool[N], whether at least half of a detection lies in a group of its class (COCO's overlap with a crowd)."""
    a, b = found.xyxy[:, None], objects.xyxy[None]
    sides = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0)
    area = np.maximum((found.xyxy[:, 2:] - found.xyxy[:, :2]).prod(axis=1), 1e-9)
    inside = sides.prod(axis=-1) / area[:, None] >= _MIN_IOU
    same = found.class_id[:, None] == objects.class_index
    lies: _BOOL = (inside & same & objects.group).any(axis=1)
    return lies


def _list_boxes(
    found: Detections, names: Sequence[str], marks: Sequence[Mark], objects: _Objects | None, judged: _Judged
) -> Iterator[MarkedBox]:
    """What a model finds, and what it misses."""
    for row, (box, score) in enumerate(zip(found.xyxy.tolist(), found.score.tolist(), strict=True)):
        mark = Mark.WRONG if judged.wrong[row] else Mark.UNCOUNTED if judged.uncounted[row] else marks[row]
        yield MarkedBox((box[0], box[1], box[2], box[3]), names[int(found.class_id[row])], score, mark)
    if objects is not None:
        for row in np.flatnonzero(objects.counts & ~judged.found).tolist():
            yield _truth_box(objects, row, Mark.MISSED)


def _truth_panel(objects: _Objects, judged: Sequence[_Judged]) -> Panel:
    finders = np.sum([j.found for j in judged], axis=0)
    boxes = []
    for row, counts in enumerate(objects.counts.tolist()):
        found = Mark.ALL if finders[row] == len(judged) else Mark.SOME if finders[row] else Mark.NONE
        boxes.append(_truth_box(objects, row, found if counts else Mark.UNCOUNTED))
    return Panel("ground truth", TRUTH_COLOR, tuple(boxes), is_truth=True)


def _truth_box(objects: _Objects, row: int, mark: Mark) -> MarkedBox:
    x0, y0, x1, y1 = objects.xyxy[row].tolist()
    return MarkedBox((x0, y0, x1, y1), objects.names[row], None, mark)
