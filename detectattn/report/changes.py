"""What changed from one study to a later one, as data. Every renderer shows these figures; ``changes.json`` has all.

*Before* is the study that was named first, *after* the second. Accuracies are 0 to 1, times milliseconds, memory
megabytes (10^6 bytes); nothing is rounded. A figure that does not exist is None or NaN, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from detectattn.report.content import Caveat
from detectattn.types import Family

SCHEMA = 1

Question = Literal["models", "accuracy", "classes", "speed", "memory", "ranking", "detections", "conditions"]
Weight = Literal["worse", "better", "changed", "open", "same"]
ConditionTopic = Literal["images", "truth", "model", "options", "versions", "machine", "command"]
Outcome = Literal["held", "reversed", "settled", "unsettled", "open"]


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One of the two studies.

    Attributes:
        run: As it was named.
        created: When it was measured, ISO 8601 in UTC; None where its report does not say.
        status: ``finished`` or ``interrupted``; None likewise.
        images: Pictures that took part; None likewise.
        models: Names of what took part, variants included.
        records: Whether its records are at hand; without them only the figures of its ``report.json`` are.
        command: The command line that made it.
    """

    run: str
    created: str | None
    status: str | None
    images: int | None
    models: tuple[str, ...]
    records: bool
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on what changed.

    Attributes:
        question: What it answers.
        weight: ``worse`` or ``better`` where that is decided, ``changed`` where a fact is another one, ``open`` where
            it cannot be told, ``same`` where nothing changed.
        text: The answer, with its numbers and intervals; ends with a full stop.
        models: Whom it is about.
    """

    question: Question
    weight: Weight
    text: str
    models: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Standing:
    """How two models of one study compare.

    Attributes:
        value: Time of ``a`` to time of ``b``, or accuracy of ``a`` less that of ``b``.
        low: Lower end of its 95% interval; None where nothing can be said.
        high: Upper end.
        decided: Whether the study settles it; times that should not be trusted settle nothing.
    """

    value: float
    low: float | None
    high: float | None
    decided: bool


@dataclass(frozen=True, slots=True)
class RankingChange:
    """A question that both studies asked of the same two models.

    Attributes:
        question: Which is faster, or more accurate.
        a: A model, by its name after.
        b: Another.
        before: What the first study says.
        after: What the second says.
        outcome: ``held`` (decided alike), ``reversed`` (decided otherwise), ``settled`` (decided now alone),
            ``unsettled`` (decided before alone), ``open`` (never decided).
    """

    question: Literal["speed", "accuracy"]
    a: str
    b: str
    before: Standing
    after: Standing
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, as in records."""

    source: str
    index: int


@dataclass(frozen=True, slots=True)
class ImageChanges:
    """Which pictures took part. Pictures are the same where name and size are.

    Attributes:
        shared: How many both studies saw.
        removed: Those of the first alone.
        added: Those of the second alone.
        resized: Of the same name and another size.
        relabelled: Shared ones whose ground truth is another; None where either study has none.
    """

    shared: int
    removed: tuple[Picture, ...]
    added: tuple[Picture, ...]
    resized: tuple[Picture, ...]
    relabelled: tuple[Picture, ...] | None


@dataclass(frozen=True, slots=True)
class ConditionChange:
    """Something that is not as it was.

    Attributes:
        topic: What it is part of.
        what: What it is: ``openvino``, ``weights of demo-yolo (SHA-256)``.
        before: Text, a number, a truth value, a list of those, or None where there was none.
        after: Likewise.
    """

    topic: ConditionTopic
    what: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Changes:
    """Two studies, one after the other.

    Attributes:
        before: The first.
        after: The second.
        findings: What changed, the most important first; never empty.
        caveats: What to know before relying on it.
        models: Those in both, in the order of the second.
        gone: Names of those in the first alone.
        new: Names of those in the second alone.
        rankings: Questions that both asked.
        images: None where the records of both are not at hand.
        conditions: What is not as it was.
    """

    before: ComparedRun
    after: ComparedRun
    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...]
    models: tuple[ModelChange, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    rankings: tuple[RankingChange, ...]
    images: ImageChanges | None
    conditions: tuple[ConditionChange, ...]


def to_figures(model: ModelChange) -> Mapping[str, FigureChange]:
    """Other figures of a model by their names."""
    return {change.figure: change for change in model.figures}
