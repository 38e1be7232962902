"""Intervals that hold on few observations, and how many observations would settle a question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectattn.results import PairedRatio

F64 = NDArray[np.float64]

CONFIDENCE = 0.95
DECISION_CONFIDENCE = 0.99
"""A verdict asks for more than an interval that excludes what equal models show: one of twenty does so by chance."""

_NORMAL = NormalDist()
_MAX_IMAGES_TO_DECIDE = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a figure lies, with the confidence that was asked for.

    Attributes:
        low: Lower end, NaN where nothing can be said.
        high: Upper end, NaN where nothing can be said.
    """

    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether ``value`` lies outside; False where nothing can be said."""
        return value < self.low or value > self.high

    def reaching(self, value: float) -> Interval:
        """The interval stretched to hold ``value``; as it is where nothing can be said."""
        return Interval(min(self.low, value), max(self.high, value))


def compute_t_quantile(probability: float, degrees_of_freedom: float) -> float:
    """The quantile of Student's t distribution, within 1% for three degrees of freedom and more.

    Exact for one and two degrees of freedom; between and beyond, the expansion around the normal quantile
    (Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.5).

    Args:
        probability: 0 to 1, exclusive.
        degrees_of_freedom: At least 1; need not be whole.
    """
    if degrees_of_freedom < 2:
        cauchy = math.tan(math.pi * (probability - 0.5))
        share = degrees_of_freedom - 1
        return (1 - share) * cauchy + share * _quantile_of_two(probability)
    if degrees_of_freedom < 3:
        share = degrees_of_freedom - 2
        return (1 - share) * _quantile_of_two(probability) + share * _expand(probability, 3)
    return _expand(probability, degrees_of_freedom)


def _quantile_of_two(probability: float) -> float:
    return (2 * probability - 1) / math.sqrt(2 * probability * (1 - probability))


def _expand(probability: float, n: float) -> float:
    z = _NORMAL.inv_cdf(probability)
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )


def estimate_degrees_of_freedom(leave_out: F64, observations: int) -> float:
    """How many degrees of freedom the spread of a figure has, from its values with a block of observations left out.

    The spread of a few influences of very different size is known less well than their number suggests. With kurtosis
    k of J influences, the variance estimate has the relative variance (k - 1) / J, as that of 2J / (k - 1) degrees of
    freedom has (Satterthwaite, "An approximate distribution of estimates of variance components", 1946).

    Args:
        leave_out: f64[J], the figure without each block; NaN where it does not exist.
        observations: How many there are in all; an upper bound (less one).

    Returns:
        At least 1.
    """
    known = leave_out[np.isfinite(leave_out)]
    influence = known - known.mean() if len(known) else known
    square = float((influence**2).mean()) if len(known) else 0.0
    ceiling = max(1.0, observations - 1.0)
    if square == 0:
        return ceiling
    kurtosis = float((influence**4).mean()) / square**2
    if kurtosis <= 1:
        return ceiling
    return min(ceiling, max(1.0, 2 * len(known) / (kurtosis - 1)))


def compute_expanded_interval(
    samples: F64, leave_out: F64, observations: int, confidence: float = CONFIDENCE
) -> Interval:
    """A bootstrap percentile interval, widened as Student's t is wider than the normal.

    Plain percentiles are too narrow on few observations by a factor √((n - 1) / n) and by the ratio of the normal to
    the t quantile; taking more extreme percentiles repairs both and keeps the interval's asymmetry (Hesterberg, "What
    Teachers Should Know About the Bootstrap", The American Statistician, 2015). The degrees of freedom follow from
    the influence of the observations (:func:`estimate_degrees_of_freedom`).

    Args:
        samples: f64[R], the figure in every resample; NaN where it does not exist.
        leave_out: f64[J], the figure with each block of observations left out.
        observations: How many there are, n.
        confidence: 0 to 1.
    """
    known = samples[np.isfinite(samples)]
    if observations < 2 or len(known) < len(samples) / 2 or len(known) < 2:
        return Interval(math.nan, math.nan)
    degrees = estimate_degrees_of_freedom(leave_out, observations)
    distance = compute_t_quantile(0.5 + confidence / 2, degrees) * math.sqrt(observations / (observations - 1))
    tail = _NORMAL.cdf(-distance)
    low, high = np.quantile(known, [tail, 1 - tail])
    # Percentiles end where the resamples do: on a handful of observations the normal shape reaches further.
    if tail < 1 / len(known):
        center, reach = float(np.median(known)), distance * float(known.std(ddof=1))
        low, high = min(low, center - reach), max(high, center + reach)
    return Interval(float(low), float(high))


def is_beyond_chance(
    difference: float, standard_error: float, degrees_of_freedom: float, confidence: float = DECISION_CONFIDENCE
) -> bool:
    """Whether a difference is larger than chance makes it between equals: Student's test.

    Args:
        difference: The difference seen.
        standard_error: Of that difference.
        degrees_of_freedom: That the standard error has.
        confidence: How seldom chance may seem to be a difference; 0.99 is once in a hundred studies of equals.

    Returns:
        False where either number does not exist.
    """
    return abs(difference) > compute_t_quantile(0.5 + confidence / 2, degrees_of_freedom) * standard_error


def images_to_decide(
    difference: float,
    standard_error: float,
    images: int,
    confidence: float = DECISION_CONFIDENCE,
    power: float = 0.8,
) -> int | None:
    """About how many images like these would show a difference of this size.

    The standard error falls with the square root of the number of images; the number is where a study decides with
    the probability ``power`` if the true difference is the one seen so far. That difference is itself uncertain, so
    the number is an order of magnitude.

    Args:
        difference: The difference seen.
        standard_error: Of that difference, on ``images`` images.
        images: How many were looked at.
        confidence: Of the decision.
        power: With what probability it should be reached.

    Returns:
        None where no number below a million would do, or nothing is known.
    """
    if not (math.isfinite(difference) and math.isfinite(standard_error)) or difference == 0 or images < 1:
        return None
    needed = _NORMAL.inv_cdf(0.5 + confidence / 2) + _NORMAL.inv_cdf(power)
    estimate = images * (needed * standard_error / difference) ** 2
    return math.ceil(estimate) if estimate <= _MAX_IMAGES_TO_DECIDE else None


_MIN_ROUNDS = 4
_BLOCKS = 8


def compare_latency(
    rounds_a: Sequence[ArrayLike],
    rounds_b: Sequence[ArrayLike],
    metric: str = "p50_ms",
    confidence: float = CONFIDENCE,
    sittings: Sequence[int] = (),
) -> PairedRatio:
    """The ratio of two median times, with an interval over whole sittings, or rounds where there was one sitting.

    A machine drifts, so timings of one round resemble each other, and both models' rounds of one number share the
    drift: what counts as one observation is the ratio of the two medians of a round, never a single timing. Rounds of
    one sitting share their processes and their minute as well, so that with several sittings the observation is the
    mean of a sitting. The ratio is the geometric mean, the interval Student's t on its logarithm. (Resampling rounds
    was measured too: its intervals of four to eight rounds are a quarter wider and cover 98% where 95% is meant.) It is
    decided which is faster where the interval of the confidence 0.99 excludes 1. The images are the same in every
    round, so the interval speaks about these images.

    Args:
        rounds_a: Times in ms of each round of ``a``, in the order in which they were taken. Fewer than four rounds are
            cut into blocks, eight in all.
        rounds_b: As many rounds of ``b``, interleaved with those.
        metric: Name of what was timed.
        confidence: Of the interval, 0 to 1.
        sittings: How many of the rounds each sitting had, in order; empty for one.

    Raises:
        ValueError: The numbers of rounds differ, a round is empty, or a time is not positive.
    """
    units_a, units_b = _check_rounds(rounds_a), _check_rounds(rounds_b)
    if len(units_a) != len(units_b):
        raise ValueError(f"both models need the same rounds, got {len(units_a)} and {len(units_b)}")
    value_a, value_b = (float(np.median(np.concatenate(u))) for u in (units_a, units_b))
    unit = "round"
    if len(units_a) < _MIN_ROUNDS and len(sittings) < 2:
        unit = "block"
        units_a, units_b = _cut_into_blocks(units_a, units_b)
    logs = np.array([math.log(np.median(x) / np.median(y)) for x, y in zip(units_a, units_b, strict=True)])
    if len(sittings) > 1:
        unit = "sitting"
        logs = average_sittings(logs, sittings)
    interval = _t_interval(logs, confidence)
    decided = interval.excludes(0.0) and _t_interval(logs, DECISION_CONFIDENCE).excludes(0.0)
    return PairedRatio(
        metric=metric,
        value_a=value_a,
        value_b=value_b,
        ratio=math.exp(logs.mean()),
        low=math.exp(interval.low),
        high=math.exp(interval.high),
        decided=decided,
        units=len(logs),
        unit=unit,
    )


def average_sittings(values: F64, sittings: Sequence[int]) -> F64:
    """The mean of each sitting.

    Args:
        values: f64[R], one a round.
        sittings: How many of the rounds each sitting had, in order; with fewer than two, rounds are left as they are.

    Returns:
        f64[S], or ``values``.
    """
    if len(sittings) < 2:
        return values
    return np.array([part.mean() for part in np.split(values, np.cumsum(sittings)[:-1])])


def _check_rounds(rounds: Sequence[ArrayLike]) -> list[F64]:
    arrays = [np.asarray(r, np.float64) for r in rounds]
    if not arrays or any(len(r) == 0 for r in arrays):
        raise ValueError("every round needs at least one time")
    if any(not (r > 0).all() for r in arrays):
        raise ValueError("times must be positive")
    return arrays


def _cut_into_blocks(rounds_a: list[F64], rounds_b: list[F64]) -> tuple[list[F64], list[F64]]:
    """Both models' rounds cut into as many pieces, in order."""
    wanted = math.ceil(_BLOCKS / len(rounds_a))
    pieces = [min(wanted, len(x), len(y)) for x, y in zip(rounds_a, rounds_b, strict=True)]
    cut_a = [block for r, n in zip(rounds_a, pieces, strict=True) for block in np.array_split(r, n)]
    cut_b = [block for r, n in zip(rounds_b, pieces, strict=True) for block in np.array_split(r, n)]
    return cut_a, cut_b


def _t_interval(values: F64, confidence: float) -> Interval:
    count = len(values)
    if count < 2:
        return Interval(math.nan, math.nan)
    reach = compute_t_quantile(0.5 + confidence / 2, count - 1) * float(values.std(ddof=1)) / math.sqrt(count)
    mean = float(values.mean())
    return Interval(mean - reach, mean + reach)
