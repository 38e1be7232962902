"""What a study found, in sentences: the number, its interval, and whether it settles the question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from detectattn.evaluation.intervals import DECISION_CONFIDENCE
from detectattn.figures import format_about, format_accuracy, format_factors, format_figure, format_interval
from detectattn.results import Calibration, ErrorBreakdown, ErrorCost, PairAgreement, PairedDifference, PairedRatio

_METRIC_NAMES = {"ap50_95": "AP", "ap50": "AP50"}
_CLASSES_NAMED = 3
_ERROR_NAMES = {
    "classification": "wrong classes",
    "localisation": "boxes that fit badly",
    "both": "wrong classes in the wrong place",
    "duplicate": "duplicates",
    "background": "detections of nothing",
    "missed": "missed objects",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model as a budget sees it.

    Attributes:
        name: Of the model or variant.
        p50_ms: Median time an image.
        peak_mb: Peak memory.
        ap50_95: Accuracy, 0 to 1; None where there is no ground truth.
    """

    name: str
    p50_ms: float
    peak_mb: float
    ap50_95: float | None = None

    def cost(self, unit: Literal["ms", "MB"]) -> float:
        """What it takes, in the unit of a budget."""
        return self.p50_ms if unit == "ms" else self.peak_mb


@dataclass(frozen=True, slots=True)
class Budget:
    """What a model may take.

    Attributes:
        limit: The most that is allowed.
        unit: ``ms`` an image (median) or ``MB`` of memory (peak).
    """

    limit: float
    unit: Literal["ms", "MB"]

    def __str__(self) -> str:
        return f"{format_figure(self.limit).removesuffix('.0')} {self.unit}"


def describe_speed(a: str, b: str, ratio: PairedRatio, doubt: str | None = None) -> str:
    """Which of two models is faster.

    Args:
        a: Name of the first model.
        b: Name of the second.
        ratio: Time of ``a`` to time of ``b``.
        doubt: Why the timings should not be trusted, where they should not; a clause without a full stop.
    """
    caution = tell_doubt(doubt)
    times = {a: f"{format_figure(ratio.value_a)} ms", b: f"{format_figure(ratio.value_b)} ms"}
    if not math.isfinite(ratio.low):
        return f"One {ratio.unit} is too few to say which is faster: {a} took {times[a]}, {b} {times[b]}.{caution}"
    fast, slow, factor, low, high = (
        (b, a, ratio.ratio, ratio.low, ratio.high)
        if ratio.ratio >= 1
        else (a, b, 1 / ratio.ratio, 1 / ratio.high, 1 / ratio.low)
    )
    apart = ratio.low > 1 or ratio.high < 1
    shown = format_factors(factor, low, high, apart_from_one=apart)
    if not ratio.decided and (ratio.value_a - ratio.value_b) * (ratio.ratio - 1) < 0:
        # Medians over all rounds and ratios round by round part ways where the rounds are very unlike.
        return (
            f"Which is faster is not decided: {a} takes {times[a]} an image and {b} {times[b]}, "
            f"and their rounds contradict each other.{caution}"
        )
    if not ratio.decided:
        return (
            f"Which is faster is {_not_decided(apart)}: {slow} takes {shown[0]}× the time of {fast} "
            f"({shown[1]}–{shown[2]}), {times[slow]} against {times[fast]} an image.{caution}"
        )
    return (
        f"{fast} is {shown[0]}× faster than {slow} ({shown[1]}–{shown[2]}): "
        f"{times[fast]} against {times[slow]} an image.{caution}"
    )


def describe_accuracy(a: str, b: str, difference: PairedDifference) -> str:
    """Which of two models is more accurate, or how many images would tell."""
    if not math.isfinite(difference.difference):
        missing = difference.class_name or "object"
        return f"Which of {a} and {b} is more accurate cannot be said: these images show no {missing}."
    best, other, values, gain, interval = _orient(a, b, difference)
    metric = _METRIC_NAMES.get(difference.metric, difference.metric)
    figures = f"{metric} {format_accuracy(values[0])} against {format_accuracy(values[1])}"
    where = "" if difference.class_name is None else f" on {difference.class_name}"
    if difference.decided:
        return f"{best} is more accurate than {other}{where}: {figures}, {format_accuracy(gain)} more ({interval})."
    if difference.difference == 0:
        comma = "," if where else ""
        return f"{a} and {b} are equally accurate{where}{comma} on {_these_images(difference)}: {figures}."
    apart = difference.low > 0 or difference.high < 0
    return (
        f"Which is more accurate{where} is {_not_decided(apart)} on {_these_images(difference)}; "
        f"{_outlook(difference)}. {best} is ahead: {figures}, {format_accuracy(gain)} more ({interval})."
    )


def describe_classes(a: str, b: str, differences: Sequence[PairedDifference]) -> str:
    """On which classes two models differ; the three largest decided differences of each are named."""
    decided = sorted((d for d in differences if d.decided), key=lambda d: -abs(d.difference))
    if not decided:
        return f"No difference on a single class is decided ({_count(len(differences), 'class', 'classes')})."
    parts = []
    for name, sign in ((a, 1), (b, -1)):
        won = [d for d in decided if d.difference * sign > 0]
        named = [f"{d.class_name} (+{format_accuracy(abs(d.difference))})" for d in won[:_CLASSES_NAMED]]
        if len(won) > _CLASSES_NAMED:
            named.append(f"{len(won) - _CLASSES_NAMED} more")
        if named:
            parts.append(f"{name} is more accurate on {_enumerate(named)}")
    chance = round(len(differences) * (1 - DECISION_CONFIDENCE))
    caution = f" Of {len(differences)} classes, about {chance} would seem to differ by chance." if chance else ""
    return f"{'; '.join(parts)}.{caution}"


def describe_agreement(pair: PairAgreement) -> str:
    """How far two models agree where nobody knows the truth."""
    boxes = pair.both + pair.only_a + pair.only_b
    if boxes == 0:
        return f"Neither {pair.a} nor {pair.b} finds anything in these images."
    known = math.isfinite(pair.low)
    interval = f" ({format_accuracy(pair.low)}–{format_accuracy(pair.high)})" if known else ""
    return (
        f"{pair.a} and {pair.b} both have {pair.both:,} of {_count(boxes, 'box', 'boxes')}, "
        f"{pair.a} alone {pair.only_a:,}, {pair.b} alone {pair.only_b:,}: "
        f"agreement {format_accuracy(pair.agreement)}{interval}. Who is right, only ground truth tells."
    )


def tell_doubt(doubt: str | None) -> str:
    """That timings should not be trusted, a sentence after a space; nothing where they should."""
    return "" if doubt is None else f" These timings are not to be trusted: {doubt}."


def describe_budget(candidates: Sequence[Candidate], budget: Budget, doubt: str | None = None) -> str:
    """What to deploy within a budget: the most accurate that fits; the others that fit where accuracy is unknown.

    Args:
        candidates: What there is.
        budget: What it may take.
        doubt: Why the timings should not be trusted, where they should not; a clause without a full stop.
    """
    if not candidates:
        return f"There is no model to fit into {budget}."
    return f"{_describe_fit(candidates, budget)}{tell_doubt(doubt)}"


def _describe_fit(candidates: Sequence[Candidate], budget: Budget) -> str:
    chosen = choose_within(candidates, budget)
    unit = budget.unit
    if chosen is not None:
        accuracy = format_accuracy(chosen.ap50_95) if chosen.ap50_95 is not None else ""
        return f"Within {budget}, deploy {chosen.name}: {format_figure(chosen.cost(unit))} {unit}, AP {accuracy}."
    fitting = [c for c in candidates if c.cost(unit) <= budget.limit]
    if fitting:
        names = _enumerate([f"{c.name} ({format_figure(c.cost(unit))} {unit})" for c in fitting])
        verb = "fits" if len(fitting) == 1 else "fit"
        return f"{names} {verb} into {budget}; which is most accurate is unknown without ground truth."
    least = min(candidates, key=lambda c: c.cost(unit))
    return f"No model fits into {budget}; {least.name} takes least, {format_figure(least.cost(unit))} {unit}."


def choose_within(candidates: Sequence[Candidate], budget: Budget) -> Candidate | None:
    """The most accurate model that fits, the cheaper of equals; None where none fits, or none has an accuracy."""
    fitting = [c for c in candidates if c.cost(budget.unit) <= budget.limit and c.ap50_95 is not None]
    return max(fitting, key=lambda c: (c.ap50_95 or 0.0, -c.cost(budget.unit)), default=None)


def describe_errors(name: str, breakdown: ErrorBreakdown) -> str:
    """What costs a model most accuracy: the two dearest kinds of error."""
    costs: dict[str, ErrorCost] = {kind: getattr(breakdown, kind) for kind in _ERROR_NAMES}
    dearest = sorted(costs, key=lambda kind: -costs[kind].ap_lost)[:2]
    named = [f"{_ERROR_NAMES[k]} ({format_accuracy(costs[k].ap_lost)} AP50)" for k in dearest if costs[k].ap_lost > 0]
    if not named:
        return f"{name} makes no error that costs AP50."
    return f"{name} loses most to {_enumerate(named)}."


def describe_calibration(name: str, calibration: Calibration) -> str:
    """Whether a model's scores mean what they say."""
    if calibration.count == 0:
        return (
            f"{name} finds nothing above score {format_figure(calibration.min_score)}, so its scores cannot be judged."
        )
    error = f"calibration error {format_accuracy(calibration.error)}"
    if not calibration.miscalibrated:
        expected = format_accuracy(calibration.perfect_error)
        return f"{name}'s scores can be taken as they are: {error}, {expected} by chance alone."
    gap = format_accuracy(abs(calibration.overconfidence))
    if calibration.overconfidence > 0:
        return f"{name} promises too much: its scores lie {gap} above the share that is right ({error})."
    return f"{name} promises too little: its scores lie {gap} below the share that is right ({error})."


def _orient(a: str, b: str, d: PairedDifference) -> tuple[str, str, tuple[float, float], float, str]:
    """The better model first: names, values, gain, and the interval of the gain."""
    if d.difference >= 0:
        return a, b, (d.value_a, d.value_b), d.difference, format_interval(d.low, d.high)
    return b, a, (d.value_b, d.value_a), -d.difference, format_interval(-d.high, -d.low)


def _outlook(d: PairedDifference) -> str:
    if d.images_to_decide is None:
        known = math.isfinite(d.standard_error)
        return "more than a million would be needed" if known else "one says nothing about others"
    if d.images_to_decide < 1.3 * d.images:
        return "a few more would"
    return f"about {format_about(d.images_to_decide)} would"


def _not_decided(apart: bool) -> str:
    """How open a question is: a verdict asks for more than an interval that excludes what equal models show."""
    return "not decided beyond doubt" if apart else "not decided"


def _these_images(d: PairedDifference) -> str:
    if d.class_name is None:
        return "this image" if d.images == 1 else f"these {d.images:,} images"
    return "the one image that shows it" if d.images == 1 else f"the {d.images:,} images that show it"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _enumerate(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
