"""Rebuild reports of studies from their run folders; say what changed from one to another."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from detectattn.cli.console import Notices
from detectattn.cli.predict_recorded import is_predict
from detectattn.compare.changes import Side, build_changes, find_run, read_side, write_changes
from detectattn.compare.finish import finish_study
from detectattn.compare.plot_files import write_plots
from detectattn.compare.rules import ACCURACY_CONF
from detectattn.compare.study_folder import StudyFolder
from detectattn.errors import ConfigError, DetectattnError, SourceNotFound
from detectattn.pipeline.run_folder import create_run_folder, read_manifest, require_new_folder
from detectattn.report.changes_json import changes_to_json
from detectattn.report.changes_terminal import render_changes_terminal
from detectattn.report.content import Report
from detectattn.report.json_file import to_json
from detectattn.report.terminal import render_terminal
from detectattn.sources.naming import to_one_line
from detectattn.types import RunManifest

EXIT_FAILED = 1
EXIT_PARTIAL = 4


def rebuild_reports(
    runs: Sequence[Path], out: Path | None, pairs: Sequence[str], notices: Notices, *, as_json: bool, plots: bool
) -> int:
    """Rebuild each report; one that cannot be built never costs the others. The exit code.

    Args:
        runs: Run folders of ``compare``.
        out: Of a comparison, which this is none of.
        pairs: Likewise.
        notices: Where errors go.
        as_json: Print the reports as one JSON object.
        plots: Write the plots of each run as pictures.

    Raises:
        ConfigError: ``out`` or ``pairs`` was given.
    """
    if out is not None or pairs:
        raise ConfigError(
            f"{'-o' if out is not None else '--pair'} is for a comparison of two runs, and {_count(runs)} named",
            hint="Name two runs, or leave it out",
        )
    built: dict[Path, Report] = {}
    for run in dict.fromkeys(runs):
        try:
            folder = _find_folder(run)
            built[run] = finish_study(StudyFolder(folder))
            if plots:
                _write_plots(built[run], folder, notices)
        except DetectattnError as error:
            print(f"error: {error}", file=sys.stderr)
    if as_json:
        _print_json([_describe(run, report) for run, report in built.items()])
    elif not notices.quiet:
        for run, report in built.items():
            print("\n".join(render_terminal(report, str(run))))
    if not built:
        return EXIT_FAILED
    return _tell_gates(built.values()) or (EXIT_PARTIAL if len(built) < len(set(runs)) else 0)


def compare_runs(
    runs: tuple[Path, Path], out: Path | None, pairs: Sequence[str], notices: Notices, *, as_json: bool, plots: bool
) -> int:
    """Rebuild both reports where their records are at hand, and say what changed. The exit code.

    Args:
        runs: The first and the second: run folders of ``compare``, or a ``report.json``.
        out: Folder of the comparison, or None for the next free one.
        pairs: ``OLD=NEW`` for models that have another name now.
        notices: Where it is told how it goes.
        as_json: Print the reports and the comparison as one JSON object.
        plots: Write the plots of each run whose records are at hand as pictures.

    Raises:
        DetectattnError: Either study cannot be read, or the folder is there already.
    """
    require_new_folder(out)
    built: dict[Path, Report] = {}
    before, after = (_open_side(run, built, notices) for run in runs)
    changes = build_changes(before, after, pairs)
    folder = create_run_folder(out, "report")
    write_changes(changes, folder)
    for run, report in built.items() if plots else ():
        _write_plots(report, find_run(run) or run, notices)
    if as_json:
        compared = {"run": str(folder), "changes": changes_to_json(changes)}
        _print_json([*(_describe(run, report) for run, report in built.items()), compared])
    elif not notices.quiet:
        print("\n".join(render_changes_terminal(changes, str(folder))))
    for run, report in built.items():
        for gate in report.gates:
            if gate.failed:
                print(to_one_line(f"failed in {run}: {gate.condition}: {gate.text}"), file=sys.stderr)
    return _tell_gates(built.values())


def _open_side(run: Path, built: dict[Path, Report], notices: Notices) -> Side:
    folder = find_run(run)
    if folder is None:
        return read_side(run)
    _require_study(folder)
    study = StudyFolder(folder)
    if run not in built:
        built[run] = finish_study(study)
        notices.say(f"built the report of {folder} anew")
    return Side(str(run), to_json(built[run]), study.load())


def _write_plots(report: Report, folder: Path, notices: Notices) -> None:
    written = write_plots(report, folder)
    if written:
        notices.say(f"wrote {len(written):,} {'plot' if len(written) == 1 else 'plots'} to {written[0].parent}")
    else:
        notices.say(f"{folder} has nothing to plot")


def _find_folder(run: Path) -> Path:
    """The run folder that a path names.

    Raises:
        ConfigError: It is a report alone.
    """
    folder = find_run(run)
    if folder is None and run.exists():
        raise ConfigError(
            f"{run} is a report without its records, of which none can be built anew",
            hint="Name the run folder that it came from, or a second run to compare it with",
        )
    folder = run if folder is None else folder
    _require_study(folder)
    return folder


def _require_study(folder: Path) -> None:
    """Refuse a run of ``predict``, whether its records are one file or in shards.

    Raises:
        SourceNotFound: It is one.
        SourceError: Its ``run.json`` cannot be read.
    """
    manifest = read_manifest(folder)
    if manifest is not None and is_predict(manifest):
        raise SourceNotFound(
            f"{folder} is a run of predict, which has records and no report",
            hint="Have them judged, and a report made, by "
            f"`detectattn compare IMAGES -m NAME={folder}`{_tell_cut(manifest)}",
        )


def _tell_cut(manifest: RunManifest) -> str:
    """What a person should do first who wants AP of records that a threshold cut off."""
    conf = manifest.config.get("conf")
    if not isinstance(conf, int | float) or conf <= ACCURACY_CONF:
        return ""
    return (
        f". They begin at score {conf:g}, which cuts AP short: `predict --conf {ACCURACY_CONF:g}` writes what it needs"
    )


def _tell_gates(reports: Iterable[Report]) -> int:
    return EXIT_FAILED if any(gate.failed for report in reports for gate in report.gates) else 0


def _describe(run: Path, report: Report) -> Mapping[str, Any]:
    return {"run": str(run), "report": to_json(report)}


def _print_json(content: Sequence[Mapping[str, Any]]) -> None:
    print(json.dumps({"schema": 1, "command": "report", "data": content}, ensure_ascii=False))


def _count(runs: Sequence[Path]) -> str:
    return "one was" if len(runs) == 1 else f"{len(runs)} were"
