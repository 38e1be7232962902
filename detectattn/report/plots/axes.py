"""Ranges and ticks that suit the figures shown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from detectattn.report.plots.spec import Spec, tidy

_LOG_FROM = 4.0
# Figures of an edited file may be anything; logarithms and their ticks hold within these.
_LEAST, _MOST = 1e-6, 1e12
_NUMBERS = ",~f"


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """An axis of positive figures, logarithmic where they lie far apart.

    Attributes:
        low: Where it begins.
        high: Where it ends.
        log: Whether equal steps are equal factors.
    """

    low: float
    high: float
    log: bool

    def scale(self) -> Spec:
        """The scale of a channel."""
        scale: Spec = {"type": "log" if self.log else "linear", "domain": [self.low, self.high], "nice": False}
        return scale if self.log else {**scale, "zero": False}

    def axis(self, title: str) -> Spec:
        """The axis of a channel."""
        axis: Spec = {"title": title, "format": _NUMBERS}
        if self.log:
            return {**axis, "values": log_ticks(self.low, self.high)}
        return {**axis, "tickCount": 6}

    def place(self, value: float) -> float:
        """Where a figure lies: 0 at the beginning, 1 at the end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def fit_time_axis(values: Iterable[float], *, margin: float = 0.06) -> TimeAxis:
    """An axis that holds figures that a time can be, with a margin on both sides as a share of its length."""
    known = [value for value in values if _LEAST <= value <= _MOST] or [1.0]
    low, high = min(known), max(known)
    if high > _LOG_FROM * low:
        room = (high / low) ** margin
        return TimeAxis(tidy(low / room), tidy(high * room), True)
    room = max((high - low) * margin, high * 0.02)
    return TimeAxis(tidy(max(0.0, low - room)), tidy(high + room), False)


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten that lie in a range; powers of ten alone where that would be many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(powers) <= 4 else (1,)
    ticks = [float(f"{step}e{power}") for power in powers for step in steps]
    return [tick for tick in ticks if low <= tick <= high]


def fit_range(
    values: Iterable[float], *, least: float = -math.inf, most: float = math.inf, margin: float = 0.08
) -> list[float]:
    """A range that holds figures with a margin, within what is possible."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = (high - low) * margin or max(abs(high) * margin, 0.02)
    return [tidy(max(least, low - room)), tidy(min(most, high + room))]
