"""What a long job is at: a line that changes on a terminal, a line now and then elsewhere; both on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from detectattn.sources.naming import to_one_line

_PLAIN_INTERVAL_S = 10.0


@contextmanager
def show_steps(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show steps while the block goes on; nothing is shown where there are none.

    Args:
        quiet: Show nothing.

    Yields:
        What is told each step as it begins.
    """
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _open_status() as show:
            yield show
    else:
        yield _Lines()


@contextmanager
def _open_status() -> Iterator[Callable[[str], None]]:
    """A line at the bottom of the terminal; there from the first step on, gone at the end."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, visible=False)
        yield lambda text: progress.update(task, description=to_one_line(text), visible=True)


class _Lines:
    """One line at most every ten seconds, the first after ten, so that a log stays short."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()

    def __call__(self, text: str) -> None:
        now_s = time.monotonic()
        if now_s - self._last_s >= _PLAIN_INTERVAL_S:
            self._last_s = now_s
            print(to_one_line(text), file=sys.stderr, flush=True)
