"""How figures are written for people: the same in a verdict, a table and a plot."""

from __future__ import annotations

import math

_ROUND_STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
UNKNOWN = "unknown"


def format_figure(value: float) -> str:
    """Three significant digits, thousands apart: ``0.529``, ``41.2``, ``1,230``; ``−`` below 0."""
    if not math.isfinite(value):
        return UNKNOWN
    rounded = float(f"{value:.2e}")
    if rounded == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}".replace("-", "−")


def format_accuracy(value: float) -> str:
    """Three decimals: ``0.529``."""
    return f"{value:.3f}".replace("-", "−") if math.isfinite(value) else UNKNOWN


def format_about(count: int) -> str:
    """A number of images as a round one, upwards: ``300`` for 287."""
    if count <= 0:
        return "0"
    size = 10 ** math.floor(math.log10(count))
    step = next(s for s in _ROUND_STEPS if s * size >= count)
    return f"{math.ceil(step * size):,}"


def format_interval(low: float, high: float) -> str:
    """The interval of a difference in accuracy: ``0.012–0.094``, ``−0.031 to 0.094``."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"interval {UNKNOWN}"
    # A dash beside a minus cannot be read.
    joint = " to " if low < 0 or high < 0 else "–"
    # The end nearest to 0 is not shown as 0: that would read as undecided.
    decimals = next((d for d in (3, 4, 5) if low <= 0 <= high or round(low, d) > 0 or round(high, d) < 0), 3)
    return f"{low:.{decimals}f}{joint}{high:.{decimals}f}".replace("-", "−")


def format_factors(factor: float, low: float, high: float, *, apart_from_one: bool) -> tuple[str, str, str]:
    """A factor and its interval with as many decimals as tell its ends apart.

    Args:
        factor: At least 1.
        low: Lower end of its interval.
        high: Upper end.
        apart_from_one: Whether the lower end must not be shown as 1, because the interval excludes 1.
    """
    decimals = 0 if factor >= 10 else 1 if factor >= 1.5 else 2
    for more in range(decimals, 5):
        shown = f"{factor:,.{more}f}", f"{low:,.{more}f}", f"{high:,.{more}f}"
        told_apart = shown[1] != shown[2] and not (apart_from_one and float(shown[1].replace(",", "")) <= 1)
        if told_apart:
            return shown
    return f"{factor:,.{decimals}f}", f"{low:,.{decimals}f}", f"{high:,.{decimals}f}"
