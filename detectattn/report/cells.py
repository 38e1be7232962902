"""What stands in a table: one way of writing each kind of figure, for every renderer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from detectattn.figures import format_about, format_accuracy, format_factors, format_figure, format_interval
from detectattn.report.content import Conditions, Difference, FrontierPoint, ModelReport, Ratio, Report, Speed

MISSING = "–"
"""Where a figure does not exist; never 0."""
UNTRUSTED = "†"
"""Beside a time that should not be trusted."""

_LEAST_DRIFT = 1e-5

METRIC_NAMES = {"ap50_95": "AP", "ap50": "AP50", "p50_ms": "decode to boxes", "forward_p50_ms": "forward pass"}
FAMILY_NAMES = {"attention": "attention", "cnn": "convolution", "hybrid": "hybrid"}


@dataclass(frozen=True, slots=True)
class PairRow:
    """A pair with the better model first where one is.

    Attributes:
        better: The faster or more accurate model; the first of equals, and of times that are not decided.
        worse: The other.
        value_better: What the better one has or takes.
        value_worse: The other's.
        gain: By how much or how many times it is better, with its 95% interval.
        decided: Whether chance can be ruled out.
    """

    better: str
    worse: str
    value_better: str
    value_worse: str
    gain: str
    decided: str


def figure(value: float | None) -> str:
    """Three significant digits: ``41.2``."""
    return MISSING if _is_missing(value) else format_figure(value or 0.0)


def share(value: float | None) -> str:
    """Three decimals, of what lies between 0 and 1: ``0.529``."""
    return MISSING if _is_missing(value) else format_accuracy(value or 0.0)


def percent(value: float | None) -> str:
    """A share as a percentage: ``99.34%`` of most, ``1.2%`` and ``0.0031%`` of what should be next to nothing."""
    if value is None or _is_missing(value):
        return MISSING
    if value <= 0.1:
        return f"{drift(100 * value)}%"
    # Rounded down: all but one in a million is not all.
    return "100%" if value == 1 else f"{math.floor(10_000 * value) / 100:.2f}%"


def drift(value: float | None) -> str:
    """What should be next to nothing: two significant digits, down to a hundred-thousandth."""
    if value is None or _is_missing(value):
        return MISSING
    if value < _LEAST_DRIFT:
        return f"< {_LEAST_DRIFT:.5f}" if value else "0"
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}"


def signed_share(value: float | None) -> str:
    """The same with its sign: ``+0.032``."""
    return f"{'+' if value is not None and value > 0 else ''}{share(value)}"


def count(value: int | None) -> str:
    """Thousands apart: ``1,230``."""
    return MISSING if value is None else f"{value:,}"


def yes_no(value: bool) -> str:
    """``yes`` or ``no``."""
    return "yes" if value else "no"


def figure_interval(value: float | None, low: float | None, high: float | None) -> str:
    """A figure with its interval, where that is known: ``41.2 (40.1–42.6)``."""
    known = not (_is_missing(low) or _is_missing(high))
    return f"{figure(value)} ({figure(low)}–{figure(high)})" if known else figure(value)


def share_interval(value: float | None, low: float | None, high: float | None) -> str:
    """An accuracy with its interval, where that is known: ``0.529 (0.481–0.577)``."""
    known = not (_is_missing(low) or _is_missing(high))
    return f"{share(value)} ({share(low)}–{share(high)})" if known else share(value)


def size_wh(size_hw: tuple[int, int] | None) -> str:
    """Width by height: ``810×1080``."""
    return MISSING if size_hw is None else f"{size_hw[1]}×{size_hw[0]}"


def beside(own: float | None, published: float | None) -> str:
    """An own figure, the published one beside it: ``32.0 (32.9)``."""
    return figure(own) if published is None else f"{figure(own)} ({figure(published)})"


def rounds_text(conditions: Conditions) -> str:
    """How the models were timed: ``10 interleaved rounds of 10 pictures, in 5 sittings``; empty where nothing was."""
    if conditions.rounds is None or conditions.pictures_a_round is None:
        return ""
    text = f"{count(conditions.rounds)} interleaved rounds of {count(conditions.pictures_a_round)} pictures"
    many = conditions.sittings is not None and conditions.sittings > 1
    return f"{text}, in {count(conditions.sittings)} sittings" if many else text


def doubt_mark(speed: Speed) -> str:
    """:data:`UNTRUSTED` beside times that should not be trusted, else nothing."""
    return "" if speed.noise.trusted else UNTRUSTED


def peak_mb(model: ModelReport) -> float | None:
    """Peak memory: of the device where it has one of its own, else of the process."""
    memory = model.memory
    return None if memory is None else memory.peak_device_mb or memory.peak_rss_mb


def variant_text(point: FrontierPoint | ModelReport) -> str:
    """What is changed in a variant: ``decoder_layers 3``, ``openvino, int8``; empty for a model as it is."""
    # Engines and precisions need not say what they are.
    told = {"engine", "precision"}
    return ", ".join(str(value) if axis in told else f"{axis} {value}" for axis, value in point.variant.items())


def base_models(report: Report) -> tuple[ModelReport, ...]:
    """The models, without their variants."""
    return tuple(model for model in report.models if model.base == model.name)


def ratio_row(ratio: Ratio) -> PairRow:
    """How many times what the first model takes the other takes: the faster model first where that is decided.

    Where it is not, or where the medians say otherwise than the ratio, the pair stays as it is.
    """
    r = ratio.figures
    contradicted = (r.value_a - r.value_b) * (r.ratio - 1) < 0
    # The ratio is of the time of ``a``, the row's is of the time of the other.
    ahead = r.ratio < 1 or not r.decided or contradicted
    factor, low, high = (1 / r.ratio, 1 / r.high, 1 / r.low) if ahead else (r.ratio, r.low, r.high)
    better, worse = (ratio.a, ratio.b) if ahead else (ratio.b, ratio.a)
    values = (r.value_a, r.value_b) if ahead else (r.value_b, r.value_a)
    gain = f"{figure(factor)}×"
    if math.isfinite(low) and math.isfinite(high):
        shown = format_factors(factor, low, high, apart_from_one=low > 1)
        gain = f"{shown[0]}× ({shown[1]}–{shown[2]})"
    return PairRow(better, worse, figure(values[0]), figure(values[1]), gain, yes_no(r.decided))


def difference_row(difference: Difference) -> PairRow:
    """How much more accurate the more accurate model is."""
    d = difference.figures
    behind = d.difference < 0
    better, worse = (difference.b, difference.a) if behind else (difference.a, difference.b)
    values = (d.value_b, d.value_a) if behind else (d.value_a, d.value_b)
    low, high = (-d.high, -d.low) if behind else (d.low, d.high)
    gain = share(abs(d.difference))
    if math.isfinite(low) and math.isfinite(high):
        gain = f"{gain} ({format_interval(low, high)})"
    return PairRow(better, worse, share(values[0]), share(values[1]), gain, yes_no(d.decided))


def images_to_decide(difference: Difference) -> str:
    """About how many images would settle a difference that is not decided."""
    d = difference.figures
    if d.decided or not math.isfinite(d.standard_error):
        return MISSING
    return "more than a million" if d.images_to_decide is None else f"about {format_about(d.images_to_decide)}"


def _is_missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)
