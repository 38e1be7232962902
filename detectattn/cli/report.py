"""``detectattn report``: the report of a study, built anew from its records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detectattn.cli import options as opt

Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders of `detectattn compare`.")]


def report(runs: Runs, quiet: opt.QuietOption = False, as_json: opt.JsonOption = False) -> None:
    """Build reports anew from saved records; no model is loaded."""
    from detectattn.cli.console import Notices
    from detectattn.cli.report_run import rebuild_reports

    code = rebuild_reports(runs, Notices(quiet=quiet), as_json=as_json)
    if code:
        raise typer.Exit(code)
