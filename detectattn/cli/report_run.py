"""Rebuild reports of studies from their run folders."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from detectattn.cli.console import Notices
from detectattn.compare.finish import finish_study
from detectattn.compare.study_folder import StudyFolder
from detectattn.errors import DetectattnError
from detectattn.report.content import Report
from detectattn.report.json_file import to_json
from detectattn.report.terminal import render_terminal

EXIT_FAILED = 1
EXIT_PARTIAL = 4


def rebuild_reports(runs: Sequence[Path], notices: Notices, *, as_json: bool) -> int:
    """Rebuild each report; one that cannot be built never costs the others. The exit code.

    Args:
        runs: Run folders of ``compare``.
        notices: Where errors go.
        as_json: Print the reports as one JSON object.
    """
    built: dict[Path, Report] = {}
    for run in dict.fromkeys(runs):
        try:
            built[run] = finish_study(StudyFolder(run))
        except DetectattnError as error:
            print(f"error: {error}", file=sys.stderr)
    if as_json:
        content = [{"run": str(run), "report": to_json(report)} for run, report in built.items()]
        print(json.dumps({"schema": 1, "command": "report", "data": content}, ensure_ascii=False))
    elif not notices.quiet:
        for run, report in built.items():
            print("\n".join(render_terminal(report, str(run))))
    if any(gate.failed for report in built.values() for gate in report.gates) or not built:
        return EXIT_FAILED
    return EXIT_PARTIAL if len(built) < len(set(runs)) else 0
