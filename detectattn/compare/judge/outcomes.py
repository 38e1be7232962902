"""What became of each detection and each object of one picture: right, wrong, missed, or not counted.

A detection is right where it overlaps an object of its class by half or more, best score first, each object once.
Classes without an object in all the images are not judged, as accuracy does not judge them; objects of classes that not
all models know, crowds and ignored ones do not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.boxes import compute_iou
from detectattn.evaluation.agreement import ImageAgreement
from detectattn.evaluation.truth import BOOL, FrameKey, GroundTruth, ImageTruth
from detectattn.types import F32, I32, Detections, Prediction

_MIN_IOU = 0.5
_NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """One model's detections against what is really there.

    Attributes:
        wrong: bool[N], detections that are of no object.
        uncounted: bool[N], detections that are neither right nor wrong.
        found: bool[M], objects that it finds.
    """

    wrong: BOOL
    uncounted: BOOL
    found: BOOL


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
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
    counts: BOOL
    group: BOOL
    names: tuple[str, ...]
    judged: BOOL


@dataclass(frozen=True, slots=True, eq=False)
class TruthForModels:
    """Ground truth in the terms of some models.

    Attributes:
        truth: What is in the pictures.
        own_index: Index into the class names of the models, by class index of the truth.
        judged: bool[C], by class of the models, whether any picture holds an object of it that is to be found.
    """

    truth: GroundTruth
    own_index: Mapping[int, int]
    judged: BOOL

    @classmethod
    def of(cls, truth: GroundTruth, class_names: Sequence[str]) -> TruthForModels:
        """Ground truth for models that have these classes in common."""
        meant = [truth.find_class(name) for name in class_names]
        shown = {int(c) for image in truth.images.values() for c in np.unique(_counted(image))}
        own_index = {c: index for index, c in enumerate(meant) if c is not None}
        return cls(truth, own_index, np.array([c in shown for c in meant], np.bool_).reshape(-1))

    def find(self, key: FrameKey) -> Objects | None:
        """What is in a picture; None where the truth does not cover it."""
        there = self.truth.images.get(key)
        if there is None:
            return None
        index = np.array([self.own_index.get(c, _NONE) for c in there.class_index.tolist()], np.int32).reshape(-1)
        names = tuple(self.truth.class_names[c] for c in there.class_index.tolist())
        return Objects(there.xyxy, index, there.counts & (index != _NONE), there.crowd, names, self.judged)


def judge_detections(found: Detections, objects: Objects | None) -> Outcomes:
    """What became of a model's detections, and which objects it finds; nothing of either without ground truth.

    Args:
        found: ``class_id`` is an index into the class names of the models.
        objects: What is in the picture.
    """
    if objects is None:
        unknown = np.zeros(len(found), np.bool_)
        return Outcomes(unknown, unknown, np.zeros(0, np.bool_))
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
    return Outcomes(~right & ~spared, ~right & spared, taken)


def find_object_of(image: ImageAgreement, model: int) -> NDArray[np.intp]:
    """The row of ``image.objects`` that each detection of a model is, intp[N].

    Args:
        image: What several models find in a picture.
        model: Index of one of them.
    """
    rows = image.objects[:, model]
    object_of = np.zeros(len(image.found[model]), np.intp)
    object_of[rows[rows != _NONE]] = np.flatnonzero(rows != _NONE)
    return object_of


def take_alone(prediction: Prediction, min_score: float) -> tuple[ImageAgreement, tuple[str, ...]]:
    """What a model finds where there is no other to set it against, and its class names, which ``class_id`` indexes.

    Args:
        prediction: Its record of a picture; detections of classes that it does not name are left out.
        min_score: Its operating point.
    """
    ids = sorted(prediction.class_names)
    index_of = {class_id: index for index, class_id in enumerate(ids)}
    every = prediction.detections
    index = np.array([index_of.get(c, _NONE) for c in every.class_id.tolist()], np.int32).reshape(-1)
    kept = (every.score >= min_score) & (index != _NONE)
    found = Detections(every.xyxy[kept], every.score[kept], index[kept])
    objects = np.arange(len(found), dtype=np.int32)[:, None]
    names = tuple(prediction.class_names[i] for i in ids)
    return ImageAgreement(prediction.source, prediction.index, prediction.size_hw, (found,), objects, 0.0), names


def _counted(image: ImageTruth) -> I32:
    counted: I32 = image.class_index[image.counts]
    return counted


def _lies_in_group(found: Detections, objects: Objects) -> BOOL:
    """bool[N], whether at least half of a detection lies in a group of its class (COCO's overlap with a crowd)."""
    a, b = found.xyxy[:, None], objects.xyxy[None]
    sides = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0)
    area = np.maximum((found.xyxy[:, 2:] - found.xyxy[:, :2]).prod(axis=1), 1e-9)
    inside = sides.prod(axis=-1) / area[:, None] >= _MIN_IOU
    same = found.class_id[:, None] == objects.class_index
    lies: BOOL = (inside & same & objects.group).any(axis=1)
    return lies
