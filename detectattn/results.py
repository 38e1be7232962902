"""What evaluation produces: plain data that a report can show and a test can compare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.types import F32, I32

# COCO's thresholds, 0.50 to 0.95 in steps of 0.05.
IOU_THRESHOLDS = np.round(np.arange(0.5, 0.96, 0.05), 2)


@dataclass(frozen=True, slots=True, eq=False)
class MatchTable:
    """Every detection of a set of images under COCO's matching, computed once; metrics of any subset follow from it.

    Rows are detections, at most 100 an image and class, of classes that have ground truth. Matching is COCO's: best
    score first, each to the free truth of its class in its image with the highest IoU at or above the threshold;
    crowds and ignored truths match any number and turn what they match into ignored.

    Attributes:
        class_names: Name of each class that has ground truth, by class index.
        image: i32[D], index of the image, 0 to I - 1.
        class_index: i32[D], index into ``class_names``.
        score: f32[D].
        matched: bool[T, D], matched to a truth that counts, at each of :data:`IOU_THRESHOLDS`.
        ignored: bool[T, D], counts neither as right nor as wrong.
        truth_count: i32[I, C], truths that count, by image and class.
    """

    class_names: tuple[str, ...]
    image: I32
    class_index: I32
    score: F32
    matched: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    truth_count: I32

    def __post_init__(self) -> None:
        rows = (len(IOU_THRESHOLDS), len(self.score))
        if self.matched.shape != rows or self.ignored.shape != rows:
            raise ValueError(f"matched and ignored must be bool{list(rows)}")
        if len(self.image) != len(self.score) or len(self.class_index) != len(self.score):
            raise ValueError("image, class_index and score must have one entry a detection")
        if self.truth_count.ndim != 2 or self.truth_count.shape[1] != len(self.class_names):
            raise ValueError("truth_count must be i32[I, C]")

    @property
    def image_count(self) -> int:
        """Number of images, those without detections or truths included."""
        return int(self.truth_count.shape[0])
