"""Predictions set beside ground truth: the same images, the same classes, as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.evaluation.truth import FrameKey, GroundTruth
from detectattn.types import F32, I32, Prediction


@dataclass(frozen=True, slots=True, eq=False)
class AlignedDetections:
    """A model's detections in the images and classes of a ground truth.

    Attributes:
        image: i32[D], position of the image in :attr:`GroundTruth.images`, ascending.
        class_index: i32[D], index into :attr:`GroundTruth.class_names`.
        xyxy: f32[D, 4], pixels of the upright image.
        score: f32[D]; within an image in the order of its record.
        left_out: Detections of classes that have no object in these images, by the model's name of the class.
        no_truth_count: Records of pictures that the ground truth does not cover.
        missing_count: Images without a record: nothing was found in them.
    """

    image: I32
    class_index: I32
    xyxy: F32
    score: F32
    left_out: Mapping[str, int]
    no_truth_count: int
    missing_count: int


def align_predictions(truth: GroundTruth, predictions: Iterable[Prediction]) -> AlignedDetections:
    """Take from records what the ground truth can judge.

    Classes are matched by name. An image that has no record counts as one in which nothing was found; of several
    records of one image the last counts, as after a resumed run.

    Args:
        truth: The ground truth.
        predictions: One model's records, in any order.
    """
    positions = {key: i for i, key in enumerate(truth.images)}
    classes = _ClassLookup(truth)
    by_image: dict[int, tuple[I32, F32, F32]] = {}
    left_out: dict[int, Counter[str]] = {}
    uncovered: set[FrameKey] = set()
    for prediction in predictions:
        key = (prediction.source, prediction.index)
        position = positions.get(key)
        if position is None:
            uncovered.add(key)
            continue
        found = prediction.detections
        index = classes.find(prediction)
        by_image[position] = index[index >= 0], found.xyxy[index >= 0], found.score[index >= 0]
        left_out[position] = Counter(prediction.class_name(i) for i in found.class_id[index < 0].tolist())
    rows = [by_image[position] for position in sorted(by_image)]
    counts = [len(row[0]) for row in rows]
    return AlignedDetections(
        image=np.repeat(np.array(sorted(by_image), np.int32), counts),
        class_index=np.concatenate([np.zeros(0, np.int32), *(row[0] for row in rows)]),
        xyxy=np.concatenate([np.zeros((0, 4), np.float32), *(row[1] for row in rows)]),
        score=np.concatenate([np.zeros(0, np.float32), *(row[2] for row in rows)]),
        left_out=dict(sum(left_out.values(), Counter[str]()).most_common()),
        no_truth_count=len(uncovered),
        missing_count=len(positions) - len(by_image),
    )


class _ClassLookup:
    """Finds classes of the ground truth that have objects to find, remembering what it found."""

    def __init__(self, truth: GroundTruth) -> None:
        self._truth = truth
        self._present = truth.count_objects().sum(axis=0) > 0
        self._known: dict[str, int] = {}

    def find(self, prediction: Prediction) -> I32:
        """Index of the class of each detection, -1 for classes without an object: i32[N]."""
        ids, inverse = np.unique(prediction.detections.class_id, return_inverse=True)
        found = [self._find(prediction.class_name(class_id)) for class_id in ids.tolist()]
        index: NDArray[np.int32] = np.array(found, np.int32)[inverse] if found else np.zeros(0, np.int32)
        return index

    def _find(self, name: str) -> int:
        if name not in self._known:
            index = self._truth.find_class(name)
            self._known[name] = -1 if index is None or not self._present[index] else index
        return self._known[name]
