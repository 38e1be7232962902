"""The plots of a report as pictures for slides, beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from detectattn.report.content import Report
from detectattn.report.plots import PLOT_NAMES, build_plots, render_png
from detectattn.sinks.files import output_errors, replace_file

FOLDER = "plots"
"""Within a run folder."""


def write_plots(report: Report, root: Path) -> tuple[Path, ...]:
    """Write every plot for which a report has figures as ``plots/NAME.png``, in place of its own earlier ones.

    An earlier plot for which there are no figures any more goes away; other files there stay as they are.

    Args:
        report: What is plotted.
        root: The run folder.

    Returns:
        The files, in the order of the page.

    Raises:
        OutputError: The folder cannot be written to.
    """
    drawn = {root / FOLDER / f"{plot.name}.png": render_png(plot) for plot in build_plots(report)}
    _remove_others(root / FOLDER, drawn)
    for path, content in drawn.items():
        replace_file(path, content)
    return tuple(drawn)


def _remove_others(folder: Path, drawn: Mapping[Path, bytes]) -> None:
    for path in (folder / f"{name}.png" for name in PLOT_NAMES):
        if path not in drawn:
            with output_errors(path):
                path.unlink(missing_ok=True)
