"""What changed of one model: what it finds, how right that is, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from detectattn.types import Family


@dataclass(frozen=True, slots=True)
class AccuracyDifference:
    """How much more accurate a model is after than before.

    Attributes:
        metric: ``ap50_95`` or ``ap50``.
        class_name: The class, or None for the mean over classes.
        before: 0 to 1; NaN where it does not exist.
        after: Likewise.
        difference: ``after - before``.
        low: Lower end of the 95% interval of the difference, NaN where nothing can be said.
        high: Upper end.
        decided: Whether equal models would seem to differ as much less than once in a hundred studies.
        standard_error: Of the difference; NaN likewise.
        images: How many images it rests on, for a class those that show it; None where it is not paired.
        images_to_decide: About how many would show a difference of this size; None where decided, or unknown.
    """

    metric: str
    class_name: str | None
    before: float
    after: float
    difference: float
    low: float
    high: float
    decided: bool
    standard_error: float
    images: int | None
    images_to_decide: int | None


@dataclass(frozen=True, slots=True)
class AccuracyChange:
    """What ground truth says of a model before and after.

    Attributes:
        paired: Whether it was judged image by image, on the images that both studies saw and by one ground truth.
        reason: Why it was not; a clause without a full stop. None where it was.
        judged_by: Whose ground truth: ``both`` where they agree on these images; None where it is not paired.
        images: How many images that are; None likewise.
        differences: AP, AP50, then AP of each class; without intervals where it is not paired.
    """

    paired: bool
    reason: str | None
    judged_by: Literal["both", "before", "after"] | None
    images: int | None
    differences: tuple[AccuracyDifference, ...]


@dataclass(frozen=True, slots=True)
class TimeRatio:
    """How many times what it took before a model takes after.

    Attributes:
        ratio: Above 1, it became slower: the geometric mean over units.
        low: Lower end of its 95% interval.
        high: Upper end.
        decided: Whether chance is ruled out, and the change is larger than equal studies show.
        unit: ``sitting``, or ``round`` where either study had a single sitting.
        units_before: How many the interval rests on.
        units_after: Likewise.
    """

    ratio: float
    low: float
    high: float
    decided: bool
    unit: Literal["sitting", "round"]
    units_before: int
    units_after: int


@dataclass(frozen=True, slots=True)
class SpeedChange:
    """A model's time, from encoded bytes to boxes.

    Attributes:
        before_ms: Median; None where it was not timed.
        after_ms: Likewise.
        reason: Why the two are not set against each other; a clause without a full stop. None where they are.
        ratio: None where they are not.
    """

    before_ms: float | None
    after_ms: float | None
    reason: str | None
    ratio: TimeRatio | None


@dataclass(frozen=True, slots=True)
class FigureChange:
    """One figure of both studies.

    Attributes:
        figure: Its name in ``report.json``, below the model: ``memory.peak_rss_mb``.
        before: None where it does not exist.
        after: Likewise.
        difference: ``after - before``; None where either does not exist.
        ratio: ``after / before``; None likewise, and where ``before`` is 0.
    """

    figure: str
    before: float | None
    after: float | None
    difference: float | None
    ratio: float | None


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Objects of one class, by when a model finds them."""

    class_name: str
    both: int
    only_before: int
    only_after: int


@dataclass(frozen=True, slots=True)
class ChangedImage:
    """A picture in which a model finds something else than before.

    Attributes:
        source: As in records.
        index: As in records.
        change: 0 to 1, as :func:`detectattn.evaluation.agreement.compute_disagreement` has it.
        both: Objects found before and after.
        only_before: Objects found no more.
        only_after: Objects found anew.
    """

    source: str
    index: int
    change: float
    both: int
    only_before: int
    only_after: int


@dataclass(frozen=True, slots=True)
class DetectionChange:
    """What a model finds, at its operating point of each study, in the pictures that both saw.

    Attributes:
        images: How many pictures.
        identical: Whether every box, score and class is the same, down to the least score that is recorded.
        score_before: From which score on detections count: the model's operating point in the first study.
        score_after: In the second.
        both: Objects found before and after.
        only_before: Objects found no more.
        only_after: Objects found anew.
        agreement: ``2 both / (2 both + only_before + only_after)``; NaN where nothing is found.
        low: Lower end of its 95% interval over pictures, NaN where nothing can be said.
        high: Upper end.
        per_class: The counts by class.
        most_changed: The most changed pictures, at most 20.
    """

    images: int
    identical: bool
    score_before: float
    score_after: float
    both: int
    only_before: int
    only_after: int
    agreement: float
    low: float
    high: float
    per_class: tuple[ClassCounts, ...]
    most_changed: tuple[ChangedImage, ...]


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A model that is in both studies.

    Attributes:
        name: After.
        before_name: Before.
        family: None where it is unknown.
        status_before: ``finished`` or ``failed``.
        status_after: Likewise.
        error: Why it failed after; None where it did not.
        same_weights: Whether the checksums are equal; None where either is unknown.
        accuracy: None where neither study has an accuracy for it.
        speed: None where it was timed in neither.
        detections: None where the records of both are not at hand, or have no picture in common.
        figures: Other figures that either study has.
    """

    name: str
    before_name: str
    family: Family | None
    status_before: str
    status_after: str
    error: str | None
    same_weights: bool | None
    accuracy: AccuracyChange | None
    speed: SpeedChange | None
    detections: DetectionChange | None
    figures: tuple[FigureChange, ...]


def to_figures(model: ModelChange) -> Mapping[str, FigureChange]:
    """Other figures of a model by their names."""
    return {change.figure: change for change in model.figures}
