"""How far a download is: a bar on a terminal, one line at the end elsewhere; both on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detectattn.fetch import OnProgress


@contextmanager
def show_download(*, quiet: bool = False) -> Iterator[OnProgress]:
    """Show downloads while the block goes on; nothing is shown where nothing is downloaded.

    Args:
        quiet: Show nothing.

    Yields:
        What a download tells its progress to.
    """
    with ExitStack() as stack:
        if quiet:
            yield lambda _done, _total: None
        elif sys.stderr.isatty():
            yield _Bar(stack)
        else:
            lines = _Line()
            stack.callback(lines.close)
            yield lines


class _Bar:
    """Appears with the first bytes."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._update: OnProgress | None = None

    def __call__(self, done: int, total: int | None) -> None:
        if self._update is None:
            self._update = self._open()
        self._update(done, total)

    def _open(self) -> OnProgress:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

        columns = (BarColumn(bar_width=24), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        progress = self._stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
        task = progress.add_task("", total=None)
        return lambda done, total: progress.update(task, completed=done, total=total)


class _Line:
    """Says how much arrived in what time."""

    def __init__(self) -> None:
        self._begin_s: float | None = None
        self._done = 0

    def __call__(self, done: int, total: int | None) -> None:
        if self._begin_s is None:
            self._begin_s = time.monotonic()
        self._done = done

    def close(self) -> None:
        from detectattn.fetch import format_bytes

        if self._begin_s is not None:
            elapsed_s = time.monotonic() - self._begin_s
            print(f"{format_bytes(self._done)} downloaded in {elapsed_s:.3g} s", file=sys.stderr, flush=True)
