"""What a person sees: notices and progress on standard error, the closing tables on standard output."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from detectattn.pipeline.tally import RunTally
from detectattn.sources.naming import to_one_line

WIDTH = 80
_PLAIN_INTERVAL_S = 10.0
_REFRESH_S = 0.2


class Notices:
    """Lines on standard error, unless they were asked to be few.

    Args:
        quiet: Print warnings and errors only.
        verbose: Print details too.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose

    def say(self, text: str) -> None:
        """Something worth knowing."""
        if not self.quiet:
            self._print(text)

    def detail(self, text: str) -> None:
        """Something for ``--verbose``."""
        if self.verbose:
            self._print(text)

    def warn(self, text: str) -> None:
        """Something that may not be what the user wants."""
        self._print(f"warning: {text}")

    def warn_of_failures(self, number: int, place: str) -> None:
        """So many inputs failed, and it is at that place why."""
        inputs = "1 input" if number == 1 else f"{number:,} inputs"
        self.warn(f"{inputs} failed; {place} says why")

    def _print(self, text: str) -> None:
        print(to_one_line(text), file=sys.stderr, flush=True)


@contextmanager
def show_progress(tally: RunTally, total: int | None, unit: str, *, quiet: bool) -> Iterator[None]:
    """Report a run's progress while the block goes on: a bar on a terminal, a line now and then elsewhere.

    Args:
        tally: The run's counts.
        total: Of ``unit``, or None when that is unknown.
        unit: ``images`` (inputs are counted) or ``frames``.
        quiet: Report nothing.
    """
    if quiet:
        yield
        return
    report = _report_bar if sys.stderr.isatty() else _report_lines
    ended = threading.Event()
    reporter = threading.Thread(target=report, args=(tally, total, unit, ended), name="progress", daemon=True)
    reporter.start()
    try:
        yield
    finally:
        ended.set()
        reporter.join(2)


def _count_done(tally: RunTally, unit: str) -> int:
    if unit == "frames":
        return tally.frames  # of one video; a run of many counts its inputs
    whole = sum(failure.index is None for failure in tally.failures)
    return max(tally.media - 1, 0) + whole if tally.status == "running" else tally.media + whole


def _report_bar(tally: RunTally, total: int | None, unit: str, ended: threading.Event) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        while not ended.wait(_REFRESH_S):
            progress.update(task, completed=_count_done(tally, unit), description=_describe(tally, unit))


def _report_lines(tally: RunTally, total: int | None, unit: str, ended: threading.Event) -> None:
    before = _count_done(tally, unit)
    while not ended.wait(_PLAIN_INTERVAL_S):
        done = _count_done(tally, unit)
        of = f" of {total:,}" if total else ""
        left = ""
        if total and done > before:
            left = f", {format_duration(tally.elapsed_s * (total - done) / (done - before))} left"
        print(f"{done:,}{of} {unit}, {_describe(tally, unit)}{left}", file=sys.stderr, flush=True)


def _describe(tally: RunTally, unit: str) -> str:
    failed = f", {len(tally.failures):,} failed" if tally.failures else ""
    return f"{format_rate(tally.rate)} {unit}/s{failed}"


def format_rate(rate: float) -> str:
    """Three significant digits."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def format_duration(seconds: float) -> str:
    """``850 ms``, ``12.3 s``, ``4 min 05 s``, ``2 h 10 min``."""
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> list[str]:
    """Lines of a plain table: columns aligned by spaces, those in ``numbers`` to the right.

    The first column is shortened where the line would pass 80 characters.
    """
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    widths[0] = min(widths[0], max(8, WIDTH - sum(w + 2 for w in widths[1:])))
    lines = []
    for row in (header, *rows):
        cells = [_shorten(cell, width) for cell, width in zip(row, widths, strict=True)]
        aligned = [
            c.rjust(w) if i in numbers else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("  ".join(aligned).rstrip())
    return lines


def _shorten(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
