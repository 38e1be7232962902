"""What two models differ by, with intervals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How much more accurate one model is than another on the same images.

    Attributes:
        metric: ``ap50_95`` or ``ap50``.
        class_name: The class, or None for the mean over classes.
        value_a: Accuracy of ``a``, 0 to 1; NaN where it does not exist.
        value_b: Accuracy of ``b``.
        difference: ``value_a - value_b``; above 0, ``a`` is more accurate.
        low: Lower end of the interval of the difference, NaN where nothing can be said.
        high: Upper end.
        decided: Whether the interval excludes 0, and the 99% interval as well: see ``docs/methods.md``.
        standard_error: Of the difference, NaN where nothing can be said.
        images: How many images there are; for a class, how many show it.
        images_to_decide: About how many would show a difference of this size; None where decided, or where no
            number that anyone could collect would.
    """

    metric: str
    class_name: str | None
    value_a: float
    value_b: float
    difference: float
    low: float
    high: float
    decided: bool
    standard_error: float
    images: int
    images_to_decide: int | None


@dataclass(frozen=True, slots=True)
class PairedRatio:
    """How many times one model takes what another takes, measured in interleaved rounds.

    Attributes:
        metric: What is compared, such as ``p50_ms``.
        value_a: Median of ``a``, over all rounds, in ms.
        value_b: Median of ``b``.
        ratio: Geometric mean over sittings or rounds of the ratio of medians, ``a`` to ``b``; above 1, ``b`` is faster.
        low: Lower end of the interval of the ratio, NaN where nothing can be said.
        high: Upper end.
        decided: Whether the interval excludes 1, and the 99% interval as well.
        units: How many pairs the interval rests on.
        unit: ``sitting``; ``round`` where there was one sitting, or ``block`` where rounds were too few and were cut.
    """

    metric: str
    value_a: float
    value_b: float
    ratio: float
    low: float
    high: float
    decided: bool
    units: int
    unit: str


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """Objects of one class, by which of two models finds them.

    Attributes:
        class_name: The class.
        both: Objects that both find.
        only_a: Objects that only ``a`` finds.
        only_b: Objects that only ``b`` finds.
    """

    class_name: str
    both: int
    only_a: int
    only_b: int


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """How far two models agree.

    Attributes:
        a: Name of the first model.
        b: Name of the second.
        both: Objects that both find.
        only_a: Objects that ``a`` finds and ``b`` does not.
        only_b: Objects that ``b`` finds and ``a`` does not.
        agreement: ``2 both / (2 both + only_a + only_b)``, the F1 of one against the other, whichever is taken as
            truth; NaN where neither finds anything.
        low: Lower end of its interval over images, NaN where nothing can be said.
        high: Upper end.
        per_class: The counts by class, of classes in which anything was found.
    """

    a: str
    b: str
    both: int
    only_a: int
    only_b: int
    agreement: float
    low: float
    high: float
    per_class: tuple[ClassAgreement, ...]
