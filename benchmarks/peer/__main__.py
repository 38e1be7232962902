"""Measure the rows that were asked for; print the table and keep the figures."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.peer.compare import Bench, compare_sides
from benchmarks.peer.environment import VARIABLE, find_peer, read_versions
from benchmarks.peer.prepare import Wishes, describe_model, prepare_model
from benchmarks.peer.rows import ROWS, Work, choose_rows, find_work, join_figures, list_sides
from benchmarks.peer.table import describe_row, describe_work, render_notes, render_table
from benchmarks.record import read_record, write_record

_QUICK_COUNTS = {"one": (1, 1), "folder": (2, 8), "model": (1, 1)}
_MODEL_S, _QUICK_MODEL_S = 8.0, 1.0
_BUSY = 0.5


def parse_words(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    listed = "\n".join(
        f"  {row.name:<32} {describe_work(row, find_work(row.work))}, at most {row.limit:.2f}" for row in ROWS
    )
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peer",
        description="detectattn against `yolo predict`, in turns, as ratios of time.",
        epilog=f"rows:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--peer", metavar="PYTHON", help=f"of the peer's environment [${VARIABLE}, or .venv-peer]")
    add("--rows", default="", help="names, comma-separated [all]")
    add("--rounds", type=int, default=5, help="how often each side runs [5]")
    add("--weights", action="append", default=[], metavar="NAME=FILE", help="of rtdetr-l or yolo11n [the cache's]")
    add("--noise", action="store_true", help="make checkpoints of seeded noise: no trained ones needed")
    add("--conf", type=float, help="threshold of both sides [what leaves about --boxes a picture]")
    add("--boxes", type=float, default=10, help="detections a picture to aim at [10]")
    add("--work", type=Path, help="keep pictures and exports here for the next time [a temporary folder]")
    add("--quick", action="store_true", help="one round on a few pictures, nothing kept: does it work?")
    return parser.parse_args(words)


def main() -> None:
    """Measure, print, keep."""
    options = parse_words()
    try:
        with ExitStack() as stack:
            folder = options.work or Path(stack.enter_context(TemporaryDirectory(prefix="detectattn-peer-")))
            folder.mkdir(parents=True, exist_ok=True)
            figures = measure(options, folder.absolute())
    except (RuntimeError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(f"{render_table(figures['rows'])}\n\n{render_notes(figures)}")
    if not options.quick:
        print(f"\nkept in {write_record('peer', join_figures(read_record('peer'), figures))}")
    if any("failed" in row for row in figures["rows"]):
        sys.exit(1)


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All rows asked for.

    Raises:
        RuntimeError: The peer is missing or cannot export, or weights cannot be had.
        ValueError: A row that there is not.
    """
    rows = choose_rows([name for name in options.rows.split(",") if name])
    python = find_peer(options.peer)
    versions = read_versions(python)
    load = os.getloadavg()[0]
    if load > _BUSY:
        say(f"the machine is busy (load {load:.1f}): ratios will be off")
    wishes = Wishes(
        python=python,
        folder=folder,
        weights=dict(pair.split("=", 1) for pair in options.weights),
        noise=options.noise,
        conf=options.conf,
        boxes=options.boxes,
    )
    bench = Bench(
        python=python,
        folder=folder,
        rounds=1 if options.quick else options.rounds,
        model_s=_QUICK_MODEL_S if options.quick else _MODEL_S,
        say=say,
    )
    works = {row.work: _scale(find_work(row.work), quick=options.quick) for row in rows}
    models, compared = {}, {}
    for name, work in works.items():
        if work.model not in models:
            say(f"{work.model}: preparing; conversions that are not in the cache take minutes")
            models[work.model] = prepare_model(wishes, work.model, rows)
            for side, reason in models[work.model].failed.items():
                say(f"{work.model}: no {side}: {reason}")
        compared[name] = compare_sides(bench, work, list_sides(rows, work), models[work.model])
    conditions = {"measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M}", "rounds": bench.rounds, "load": round(load, 2)}
    return {
        "peer_versions": versions,
        "models": {name: describe_model(model) for name, model in models.items()},
        "rows": [{**describe_row(row, works[row.work], compared[row.work]), **conditions} for row in rows],
        "works": compared,
    }


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


def _scale(work: Work, *, quick: bool) -> Work:
    few, many = _QUICK_COUNTS[work.kind]
    return replace(work, few=few, many=many) if quick else work


if __name__ == "__main__":
    main()
