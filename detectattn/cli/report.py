"""``detectattn report``: the report of a study, built anew from its records, and what changed between two."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detectattn.cli import options as opt

Runs = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN",
        parser=opt.to_local_path,
        help="Run folders of `detectattn compare`; of two that are compared, a report.json will do.",
    ),
]
OutOption = Annotated[
    Path | None, opt.out_folder("Folder of the comparison; must not exist. [default: runs/report-NNN]")
]
PairOption = Annotated[
    list[str] | None,
    typer.Option("--pair", metavar="OLD=NEW", help="Compare a model that has another name now; repeat it."),
]
PlotsOption = Annotated[bool, typer.Option("--plots", help="Write the plots of each run as PNG too, into RUN/plots.")]


def report(
    runs: Runs,
    out: OutOption = None,
    pair: PairOption = None,
    plots: PlotsOption = False,
    quiet: opt.QuietOption = False,
    as_json: opt.JsonOption = False,
) -> None:
    """Build reports anew; of two runs, say what changed.

    With one run, or more than two, each report is built anew from its records and nothing is compared; of two it is
    said what changed from the first to the second. No model is loaded.
    """
    from detectattn.cli.console import Notices
    from detectattn.cli.report_run import compare_runs, rebuild_reports

    notices = Notices(quiet=quiet)
    if len(runs) == 2:
        code = compare_runs((runs[0], runs[1]), out, pair or (), notices, as_json=as_json, plots=plots)
    else:
        code = rebuild_reports(runs, out, pair or (), notices, as_json=as_json, plots=plots)
    if code:
        raise typer.Exit(code)
