"""How the models of a study stand to each other: pair by pair, in agreement, and on the frontier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from detectattn.results import PairAgreement, PairedDifference, PairedRatio


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more accurate ``a`` is than ``b``.

    Attributes:
        a: A model.
        b: Another.
        figures: The difference.
        min_score: Score from which on both are compared, where the records of one begin higher than those of the other;
            None where all their detections count.
    """

    a: str
    b: str
    figures: PairedDifference
    min_score: float | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times what ``b`` takes ``a`` takes."""

    a: str
    b: str
    figures: PairedRatio


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """Where models agree, each at its own operating point.

    Attributes:
        class_names: Classes that all know.
        classes_left_out: By model, classes that not all others know.
        images: Pictures that every model has a record of.
        images_left_out: Pictures that not every model has a record of.
        pairs: Every two models.
        alone: By model, objects that no other finds.
    """

    class_names: tuple[str, ...]
    classes_left_out: Mapping[str, tuple[str, ...]]
    images: int
    images_left_out: int
    pairs: tuple[PairAgreement, ...]
    alone: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DisputedImage:
    """A picture on which models disagree.

    Attributes:
        source: As in records.
        index: As in records.
        disagreement: 0 to 1.
        all_find: Objects that all models find.
        only: By model, objects that it alone finds.
        picture: Path of the models side by side, relative to the report; None where it was not drawn.
    """

    source: str
    index: int
    disagreement: float
    all_find: int
    only: Mapping[str, int]
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """A model or variant, by what it takes and what it gives.

    Attributes:
        name: Of the model or variant.
        base: The model that it is a variant of.
        variant: What is changed in it.
        p50_ms: Median time an image.
        peak_mb: Peak memory: of the device where it has one of its own, else of the process.
        gain: What it gives, 0 to 1.
        pareto: Whether none is both as fast and better, or as good and faster.
    """

    name: str
    base: str
    variant: Mapping[str, str | int]
    p50_ms: float
    peak_mb: float
    gain: float
    pareto: bool


@dataclass(frozen=True, slots=True)
class Frontier:
    """Time against accuracy; against agreement where there is no ground truth.

    Attributes:
        gain: What ``FrontierPoint.gain`` is: ``ap50_95``, or ``agreement`` with ``reference``.
        reference: The model that agreement is with; None for accuracy.
        points: Fastest first.
    """

    gain: Literal["ap50_95", "agreement"]
    reference: str | None
    points: tuple[FrontierPoint, ...]
