"""Other figures of a model, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detectattn.compare.gate_values import number, section
from detectattn.report.changes import FigureChange

_FIGURES = (
    "accuracy.ap50_95", "accuracy.ap50", "accuracy.ap75", "accuracy.ap_small", "accuracy.ap_medium",
    "accuracy.ap_large", "accuracy.ar_100", "operating_points.at_conf.precision", "operating_points.at_conf.recall",
    "operating_points.at_conf.f1", "conf", "detections", "calibration.error", "speed.p50_ms", "speed.p95_ms",
    "speed.p99_ms", "speed.forward_p50_ms", "speed.images_per_s", "speed.best_images_per_s", "speed.load_s",
    "memory.peak_rss_mb", "memory.peak_device_mb", "size.weights_mb", "size.params_m", "size.gflops",
    "energy.joules_per_image",
)  # fmt: skip


def compare_figures_of(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[FigureChange, ...]:
    """Figures that either study has of a model, each as that study has it.

    Args:
        then: What the first report says of the model.
        now: What the second says.
    """
    rows = [(figure, _find(then, figure), _find(now, figure)) for figure in _FIGURES]
    return tuple(_compare(figure, old, new) for figure, old, new in rows if old is not None or new is not None)


def _find(entry: Mapping[str, Any], figure: str) -> float | None:
    *path, last = figure.split(".")
    return number(section(entry, *path).get(last))


def _compare(figure: str, old: float | None, new: float | None) -> FigureChange:
    if old is None or new is None:
        return FigureChange(figure, old, new, None, None)
    return FigureChange(figure, old, new, new - old, new / old if old else None)
