"""How an explanation goes, as a person sees it: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from detectattn.cli.console import Notices, format_duration
from detectattn.sources.naming import to_one_line

_INTERVAL_S = 10.0
_NAME_WIDTH = 24


class ExplainProgress:
    """Tells on standard error which picture and model is at work, and of scores how many maps of how many.

    Args:
        total: Pictures, or None where that is unknown.
        notices: Where lines go.
        bar: Of rich, with a task each for pictures and for the scores of one; None for lines.
    """

    def __init__(self, total: int | None, notices: Notices, bar: Any | None) -> None:
        self._total = total
        self._notices = notices
        self._bar = bar
        self._picture = ""
        self._done = 0
        self._scoring = False
        self._told_s = self._began_s = time.monotonic()
        if bar is not None:
            self._pictures = bar.add_task("pictures", total=total)
            self._scores = bar.add_task("", total=None, visible=False)

    def begin(self, source: str, done: int) -> None:
        """A picture is begun, and so many are done."""
        self._picture, self._done = _shorten(to_one_line(source)), done
        if self._bar is not None:
            self._bar.update(self._pictures, completed=done, description=self._picture)
            self._bar.update(self._scores, visible=False)

    def step(self, model: str, stage: str, done: int, total: int) -> None:
        """How far a model is with a picture; see :data:`detectattn.explain.frame.OnModelStep`."""
        if stage == "scores":
            text = f"scoring the maps of {model}"
        else:
            text = f"looking with {model}" if stage == "look" else f"drawing maps of {model}"
        shown = stage == "scores"
        begins, self._scoring = shown and not self._scoring, shown
        if begins:
            self._began_s = time.monotonic()
        if self._bar is not None:
            if begins:
                self._bar.reset(self._scores, total=total, visible=True)
            self._bar.update(self._scores, description=text, completed=done if shown else 0, visible=shown)
        elif time.monotonic() - self._told_s > _INTERVAL_S:
            self._tell(text, stage, done, total)

    def _tell(self, text: str, stage: str, done: int, total: int) -> None:
        self._told_s = time.monotonic()
        of = f" of {self._total:,}" if self._total else ""
        maps = ""
        if stage == "scores":
            maps = f": {done:,} of {total:,} maps"
            if done:
                left = (self._told_s - self._began_s) * (total - done) / done
                maps += f", about {format_duration(left)} left"
        self._notices.say(f"picture {self._done + 1:,}{of}, {self._picture}: {text}{maps}")


@contextmanager
def show_explaining(total: int | None, notices: Notices) -> Iterator[ExplainProgress]:
    """Tell how an explanation goes while the block goes on.

    Args:
        total: Pictures, or None where that is unknown.
        notices: Where lines go.
    """
    if notices.quiet or not sys.stderr.isatty():
        yield ExplainProgress(total, notices, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    # Names of files may hold what rich would take for markup.
    text = TextColumn("{task.description}", markup=False)
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), text, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield ExplainProgress(total, notices, bar)


def _shorten(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else f"…{name[1 - _NAME_WIDTH :]}"
