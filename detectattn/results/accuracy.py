"""What evaluation produces: plain data that a report can show and a test can compare."""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class ClassAccuracy:
    """COCO's metrics of one class: 0 to 1, not rounded; None where there is no object (of that size).

    Attributes:
        object_count: Objects to be found.
    """

    ap50_95: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar_100: float | None
    object_count: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """COCO's twelve metrics of one model: 0 to 1, not rounded; None where there is nothing to measure.

    Attributes:
        ap50_95: Average precision, the mean over IoU 0.50 to 0.95 and classes.
        ap50: At IoU 0.50.
        ap75: At IoU 0.75.
        ap_small: Of objects up to 32² pixels of area.
        ap_medium: Of objects from 32² to 96².
        ap_large: Of objects from 96².
        ar_1: Average recall (the mean over IoU 0.50 to 0.95 and classes), 1 detection an image and class.
        ar_10: With 10.
        ar_100: With 100.
        ar_small: Of small objects, with 100.
        ar_medium: Of medium objects, with 100.
        ar_large: Of large objects, with 100.
        per_class: The same by class, for classes with objects in these images.
        undefined: Why a metric is None, by its name.
        image_count: Images evaluated.
        object_count: Objects to be found; crowds and ignored ones don't count.
        detection_count: Detections evaluated.
        left_out: Detections of classes without objects in these images, by class: they are not evaluated.
        missing_count: Images for which there is no record: they count as images in which nothing was found.
        no_truth_count: Pictures with a record that the ground truth does not cover: they are not evaluated.
    """

    ap50_95: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar_1: float | None
    ar_10: float | None
    ar_100: float | None
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None
    per_class: Mapping[str, ClassAccuracy]
    undefined: Mapping[str, str]
    image_count: int
    object_count: int
    detection_count: int
    left_out: Mapping[str, int]
    missing_count: int
    no_truth_count: int


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """Precision at 101 recalls, at one IoU: the best precision at that recall or a higher one, as COCO draws it.

    Attributes:
        recall: f64[101], 0 to 1.
        precision: f64[101], of all classes: the mean over them.
        class_names: Classes with objects.
        class_precision: f64[C, 101], 0 where the recall is not reached.
        class_score: f64[C, 101], the score of the detection that first reaches the recall; NaN where none does.
        iou_threshold: The IoU.
    """

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    class_names: tuple[str, ...]
    class_precision: NDArray[np.float64]
    class_score: NDArray[np.float64]
    iou_threshold: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a person gets who keeps detections from some score on, all classes pooled, at one IoU.

    Attributes:
        score: The least score that is kept.
        precision: Right detections among those kept (ignored ones aside).
        recall: Objects found.
        f1: Harmonic mean of both.
        ap50_95: Average precision of what is kept.
    """

    score: float
    precision: float
    recall: float
    f1: float
    ap50_95: float | None


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionMatrix:
    """What objects were taken for, at one score and IoU.

    Attributes:
        class_names: Classes of the ground truth; the last row and column stand for background.
        counts: i64[C + 1, C + 1]: row what it is, column what it was called. The last column counts objects that were
            missed, the last row detections where nothing is.
        score: The least score that is kept.
        iou_threshold: The least IoU.
    """

    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    score: float
    iou_threshold: float
