"""Every plot of a report, as Vega-Lite for its page and as PNG for slides."""

from __future__ import annotations

from collections.abc import Callable

from detectattn.report.content import Report
from detectattn.report.plots.agreement import plot_agreement
from detectattn.report.plots.base import Plot
from detectattn.report.plots.batches import plot_batches
from detectattn.report.plots.calibration import plot_calibration
from detectattn.report.plots.class_differences import plot_class_differences
from detectattn.report.plots.confusion import plot_confusion
from detectattn.report.plots.differences import plot_differences
from detectattn.report.plots.errors import plot_errors
from detectattn.report.plots.frontier import plot_frontier
from detectattn.report.plots.image_size import plot_image_size
from detectattn.report.plots.latency import plot_latency
from detectattn.report.plots.memory import plot_memory
from detectattn.report.plots.object_size import plot_object_size
from detectattn.report.plots.picture import render_png
from detectattn.report.plots.precision_recall import plot_precision_recall
from detectattn.report.plots.runtime import bundle_javascript
from detectattn.report.plots.stages import plot_stages
from detectattn.report.plots.theme import theme_config

__all__ = ["PLOT_NAMES", "Plot", "build_plots", "bundle_javascript", "render_png", "theme_config"]

_PLOTS: dict[str, Callable[[Report], Plot | None]] = {
    "frontier": plot_frontier,
    "image-size": plot_image_size,
    "latency": plot_latency,
    "stages": plot_stages,
    "batches": plot_batches,
    "memory": plot_memory,
    "differences": plot_differences,
    "class-differences": plot_class_differences,
    "precision-recall": plot_precision_recall,
    "object-size": plot_object_size,
    "errors": plot_errors,
    "confusion": plot_confusion,
    "calibration": plot_calibration,
    "agreement": plot_agreement,
}

PLOT_NAMES = tuple(_PLOTS)
"""Of all plots that there can be, in the order of the page."""


def build_plots(report: Report) -> tuple[Plot, ...]:
    """Those plots for which a report has figures, in the order of the page."""
    plots = (build(report) for build in _PLOTS.values())
    return tuple(plot for plot in plots if plot is not None)
