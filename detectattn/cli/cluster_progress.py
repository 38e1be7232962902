"""How far a run on a cluster is: a bar and a line for each machine on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from detectattn.cli.console import format_duration, format_rate
from detectattn.distributed.board import Progress

_PLAIN_INTERVAL_S = 10.0
_MOST_NODES = 8


class ShowProgress(Protocol):
    """Is told of progress, a few times a second."""

    def __call__(self, progress: Progress) -> None:
        """So far is the run, without what earlier sittings did."""
        ...


@contextmanager
def show_cluster_progress(done: int, total: int, labels: Mapping[str, str], *, quiet: bool) -> Iterator[ShowProgress]:
    """Show progress while the block goes on.

    Args:
        done: Inputs that earlier sittings did.
        total: Inputs of the run.
        labels: What machines are called, by Ray's names for them.
        quiet: Show nothing.
    """
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        with _open_bar(done, total, labels) as show:
            yield show
    else:
        yield _Lines(done, total)


class _Rate:
    """Pictures a second, over the last half minute, so that starting up and dead replicas are soon forgotten."""

    _WINDOW_S = 30.0

    def __init__(self) -> None:
        self._seen: list[tuple[float, int, int]] = []

    def update(self, progress: Progress) -> tuple[float, float]:
        """Pictures and inputs a second."""
        now_s = time.monotonic()
        self._seen.append((now_s, progress.pictures, progress.inputs))
        while len(self._seen) > 2 and now_s - self._seen[1][0] > self._WINDOW_S:
            self._seen.pop(0)
        first_s, pictures, inputs = self._seen[0]
        span_s = now_s - first_s
        if span_s <= 0:
            return 0.0, 0.0
        return max(progress.pictures - pictures, 0) / span_s, max(progress.inputs - inputs, 0) / span_s


def describe(progress: Progress, pictures_per_s: float) -> str:
    """Rate, failures and replicas in a line."""
    replicas = sum(node.replicas for node in progress.nodes.values())
    if not replicas:
        return "starting replicas"
    machines = len(progress.nodes)
    parts = [f"{format_rate(pictures_per_s)} images/s"]
    if progress.failures:
        parts.append(f"{progress.failures:,} failed")
    parts.append(f"{replicas:,} replica{'' if replicas == 1 else 's'}")
    parts[-1] += f" on {machines:,} machine{'' if machines == 1 else 's'}"
    if progress.redone:
        parts.append(f"{progress.redone:,} shard{'' if progress.redone == 1 else 's'} begun again")
    return ", ".join(parts)


class _Lines:
    """A line at most every ten seconds."""

    def __init__(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        self._rate = _Rate()
        self._last_s = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        pictures_per_s, inputs_per_s = self._rate.update(progress)
        if time.monotonic() - self._last_s < _PLAIN_INTERVAL_S:
            return
        self._last_s = time.monotonic()
        done = self._done + progress.inputs
        left = f", {format_duration((self._total - done) / inputs_per_s)} left" if inputs_per_s else ""
        print(
            f"{done:,} of {self._total:,} inputs, {describe(progress, pictures_per_s)}{left}",
            file=sys.stderr,
            flush=True,
        )


@contextmanager
def _open_bar(done: int, total: int, labels: Mapping[str, str]) -> Iterator[ShowProgress]:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    bar = Bar(BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    task = bar.add_task("", total=total, completed=done)
    rate, rates = _Rate(), dict[str, _Rate]()
    with Live(bar, console=Console(stderr=True), transient=True, refresh_per_second=4) as live:

        def show(progress: Progress) -> None:
            bar.update(task, completed=done + progress.inputs, description=describe(progress, rate.update(progress)[0]))
            lines = []
            for name, node in list(progress.nodes.items())[:_MOST_NODES]:
                own = rates.setdefault(name, _Rate()).update(Progress(pictures=node.pictures))[0]
                lines.append(f"  {labels.get(name, name[:12])}: {format_rate(own)} images/s, {node.pictures:,} done")
            if len(progress.nodes) > _MOST_NODES:
                lines.append(f"  and {len(progress.nodes) - _MOST_NODES:,} more machines")
            live.update(Group(bar, Text("\n".join(lines))))

        yield show
