"""Whether a model became faster: times of two studies, which no round has in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from detectattn.compare.changes.side import Side
from detectattn.compare.gate_values import number, section
from detectattn.compare.same_conditions import MAX_SLOWER, find_noise, find_other_conditions
from detectattn.evaluation.intervals import CONFIDENCE, DECISION_CONFIDENCE, compute_t_quantile
from detectattn.report.changes import SpeedChange, TimeRatio

_LEAST_UNITS = 4


@dataclass(frozen=True, slots=True)
class Spread:
    """How a model's times spread over independent units of one study.

    Attributes:
        mean: Of the logarithms of the units' medians.
        error: Standard error of that mean.
        units: How many units.
        unit: ``sitting``, or ``round`` where there was a single sitting.
    """

    mean: float
    error: float
    units: int
    unit: Literal["sitting", "round"]


def compare_speed_of(before: Side, after: Side, before_name: str, name: str) -> SpeedChange | None:
    """A model's median time in both studies; None where neither timed it."""
    then, now = before.entry(before_name), after.entry(name)
    old, new = (number(section(entry, "speed").get("p50_ms")) for entry in (then, now))
    if old is None and new is None:
        return None
    spreads = [find_spread(side.content, entry) for side, entry in ((before, then), (after, now))]
    reason = (
        ("it was not timed before" if old is None else "it was not timed after" if new is None else None)
        or find_other_conditions(before.content, after.content, then, now)
        or find_noise(section(then, "speed"), "the timings before")
        or find_noise(section(now, "speed"), "the timings after")
        or ("too few rounds for an interval" if None in spreads else None)
    )
    if reason is not None or spreads[0] is None or spreads[1] is None:
        return SpeedChange(old, new, reason, None)
    return SpeedChange(old, new, None, compare_spreads(spreads[0], spreads[1]))


def find_spread(content: Mapping[str, Any], entry: Mapping[str, Any]) -> Spread | None:
    """How the units of a study spread, from the interval of its median; None where it has none.

    That interval is Student's t on the logarithms of the units' medians (:mod:`detectattn.compare.judge.speed`), so the
    mean and its error can be had back from it. Units are sittings, and rounds where there was a single sitting.

    Args:
        content: Of ``report.json``.
        entry: What it says of the model.
    """
    speed, conditions = section(entry, "speed"), section(content, "conditions")
    low, high = number(speed.get("p50_low_ms")), number(speed.get("p50_high_ms"))
    sittings, rounds = number(conditions.get("sittings")), number(conditions.get("rounds"))
    several = sittings is not None and sittings > 1
    units = int((sittings if several else rounds) or 0)
    if low is None or high is None or not 0 < low <= high or units < _LEAST_UNITS:
        return None
    logs = math.log(low), math.log(high)
    reach = (logs[1] - logs[0]) / 2
    error = reach / compute_t_quantile(0.5 + CONFIDENCE / 2, units - 1)
    return Spread(sum(logs) / 2, error, units, "sitting" if several else "round")


def compare_spreads(before: Spread, after: Spread) -> TimeRatio:
    """How many times what it took before a model takes after, with Welch's interval on the logarithms.

    It is decided where the interval of the confidence 0.99 excludes 1, the ratio is further from 1 than equal studies
    of one machine are, and both studies had several sittings: rounds of one sitting share their process and their
    minute, and say nothing about another (Welch, "The generalization of 'Student's' problem when several different
    population variances are involved", 1947).
    """
    shift = after.mean - before.mean
    error = math.hypot(before.error, after.error)
    degrees = _degrees_of_freedom(before, after)
    reach, sure = (compute_t_quantile(0.5 + c / 2, degrees) * error for c in (CONFIDENCE, DECISION_CONFIDENCE))
    unit: Literal["sitting", "round"] = "sitting" if before.unit == after.unit == "sitting" else "round"
    return TimeRatio(
        ratio=math.exp(shift),
        low=math.exp(shift - reach),
        high=math.exp(shift + reach),
        decided=unit == "sitting" and abs(shift) > max(sure, math.log1p(MAX_SLOWER)),
        unit=unit,
        units_before=before.units,
        units_after=after.units,
    )


def _degrees_of_freedom(before: Spread, after: Spread) -> float:
    """Of Welch and Satterthwaite; without any spread, those of the smaller study."""
    least = min(before.units, after.units) - 1.0
    parts = [s.error**4 / (s.units - 1) for s in (before, after)]
    return (before.error**2 + after.error**2) ** 2 / sum(parts) if sum(parts) > 0 else least
