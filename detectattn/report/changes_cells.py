"""How figures of a comparison are written: the same in the terminal, in tables and in plots."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence

from detectattn.figures import format_factors, format_interval
from detectattn.report.cells import MISSING, figure, share, signed_share, size_wh, yes_no
from detectattn.report.changes import (
    AccuracyDifference,
    Changes,
    ConditionChange,
    FigureChange,
    ModelChange,
    Outcome,
    RankingChange,
    Standing,
    Weight,
)

FIGURE_NAMES: Mapping[str, str] = {
    "accuracy.ap50_95": "AP",
    "accuracy.ap50": "AP50",
    "accuracy.ap75": "AP75",
    "accuracy.ap_small": "AP small",
    "accuracy.ap_medium": "AP medium",
    "accuracy.ap_large": "AP large",
    "accuracy.ar_100": "AR100",
    "operating_points.at_conf.precision": "precision at the operating point",
    "operating_points.at_conf.recall": "recall at the operating point",
    "operating_points.at_conf.f1": "F1 at the operating point",
    "conf": "operating point (score)",
    "detections": "detections at the operating point",
    "calibration.error": "calibration error",
    "speed.p50_ms": "median (ms)",
    "speed.p95_ms": "p95 (ms)",
    "speed.p99_ms": "p99 (ms)",
    "speed.forward_p50_ms": "forward pass, p50 (ms)",
    "speed.images_per_s": "images/s",
    "speed.best_images_per_s": "images/s at the best batch",
    "speed.load_s": "load (s)",
    "memory.peak_rss_mb": "peak memory (MB)",
    "memory.peak_device_mb": "peak on the device (MB)",
    "size.weights_mb": "weights (MB)",
    "size.params_m": "parameters (M)",
    "size.gflops": "GFLOPs",
    "energy.joules_per_image": "energy an image (J)",
}
"""What figures of ``report.json`` are called."""

OUTCOMES: Mapping[Outcome, str] = {
    "held": "as before",
    "reversed": "reversed",
    "settled": "decided now",
    "unsettled": "no longer decided",
    "open": "not decided",
}
WEIGHTS: Mapping[Weight, str] = {
    "worse": "worse",
    "better": "better",
    "changed": "changed",
    "open": "open",
    "same": "unchanged",
}
_SHARES = ("accuracy.", "operating_points.", "calibration.", "conf")


def find_overall(model: ModelChange, metric: str = "ap50_95") -> AccuracyDifference | None:
    """The change in AP of all classes; None where there is none to speak of."""
    if model.accuracy is None:
        return None
    found = (d for d in model.accuracy.differences if d.class_name is None and d.metric == metric)
    return next(found, None)


def difference_text(d: AccuracyDifference) -> str:
    """``+0.031 (0.012–0.050)``; without its interval where there is none."""
    if not (math.isfinite(d.low) and math.isfinite(d.high)):
        return signed_share(d.difference)
    return f"{signed_share(d.difference)} ({format_interval(d.low, d.high)})"


def decided_text(*, decided: bool, known: bool) -> str:
    """``yes`` or ``no``; nothing where it cannot be asked."""
    return yes_no(decided) if known else MISSING


def ratio_text(model: ModelChange) -> str:
    """``1.12× (1.08–1.16)``: how many times what it took before."""
    ratio = None if model.speed is None else model.speed.ratio
    return MISSING if ratio is None else factors_text(ratio.ratio, ratio.low, ratio.high)


def figure_cells(change: FigureChange) -> tuple[str, str, str]:
    """Before, after, and by how much."""
    write = share if change.figure.startswith(_SHARES) else figure
    if change.figure == "detections":
        write = _whole
    plus = "+" if change.difference is not None and change.difference > 0 else ""
    return write(change.before), write(change.after), f"{plus}{write(change.difference)}"


def _whole(value: float | None) -> str:
    return MISSING if value is None else f"{value:,.0f}".replace("-", "−")


def leads(standing: Standing, question: str) -> bool:
    """Whether the first of the two models is ahead: less time, or more accuracy."""
    return standing.value < 1 if question == "speed" else standing.value > 0


def standing_text(standing: Standing, ranking: RankingChange) -> str:
    """What a study says of two models: who leads, by how much, and whether that is decided."""
    open_end = "" if standing.decided else ", not decided"
    if standing.value == (1 if ranking.question == "speed" else 0):
        return f"equal{open_end}"
    ahead = ranking.a if leads(standing, ranking.question) else ranking.b
    return f"{ahead} by {lead_text(standing, ranking.question)}{open_end}"


def lead_text(standing: Standing, question: str) -> str:
    """How far the leader is ahead: ``1.23× (1.19–1.27)``, ``0.302 AP (0.234–0.352)``."""
    value, low, high = standing.value, standing.low, standing.high
    if question == "speed":
        if value < 1:
            value, low, high = 1 / value, high and 1 / high, low and 1 / low
        return f"{figure(value)}×" if not low or not high else factors_text(value, low, high)
    if low is None or high is None:
        return f"{share(abs(value))} AP"
    low, high = (low, high) if value > 0 else (-high, -low)
    return f"{share(abs(value))} AP ({format_interval(low, high)})"


def factors_text(factor: float, low: float, high: float) -> str:
    """A factor with its interval, as many decimals as tell the ends apart: ``1.23× (1.19–1.27)``."""
    if factor < 1:
        return f"{figure(factor)}× ({figure(low)}–{figure(high)})"
    shown = format_factors(factor, low, high, apart_from_one=low > 1)
    return f"{shown[0]}× ({shown[1]}–{shown[2]})"


def value_text(change: ConditionChange, value: object) -> str:
    """A condition as people write it."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return yes_no(value)
    if change.topic == "command" and isinstance(value, list):
        return shlex.join(map(str, value))
    if _is_size(change, value):
        return size_wh((value[0], value[1]))  # type: ignore[index]
    if change.what == "memory bytes" and isinstance(value, int):
        return f"{figure(value / 1e9)} GB"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items()) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


def _is_size(change: ConditionChange, value: object) -> bool:
    numbers = isinstance(value, list) and len(value) == 2 and all(isinstance(part, int) for part in value)
    return numbers and "size" in change.what


def title_of_changes(changes: Changes) -> str:
    """``demo-rtdetr and demo-yolo, before and after``."""
    names: Sequence[str] = [model.name for model in changes.models]
    if not names:
        return "Two runs compared"
    if len(names) > 4:
        return f"{len(names)} models, before and after"
    joined = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{joined}, before and after"
