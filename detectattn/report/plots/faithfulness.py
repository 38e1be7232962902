"""Whether maps of detections are true, and how far beyond their boxes they reach."""

from __future__ import annotations

from detectattn.report.explanation import Explanation
from detectattn.report.plots.base import Plot
from detectattn.report.plots.curves import plot_curves
from detectattn.report.plots.gains import plot_gains
from detectattn.report.plots.reach import plot_reach


def build_explanation_plots(explanation: Explanation) -> tuple[Plot, ...]:
    """Those plots for which an explanation has figures, in the order of the page."""
    curves = (plot_curves(explanation, place) for place in range(len(explanation.models)))
    plots = (plot_gains(explanation), *curves, plot_reach(explanation))
    return tuple(plot for plot in plots if plot is not None)
