"""How a study goes, as a person sees it: a line on a terminal, a line a stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from detectattn.cli.console import Notices
from detectattn.sources.naming import to_one_line

_STAGES = {"load": "loading", "time": "timing", "detect": "detecting", "explain": "explaining"}
_INTERVAL_S = 10.0


class StudyProgress:
    """Tells on standard error; see :class:`detectattn.compare.measure.StudyEvents`.

    Args:
        models: How many there are to be measured.
        notices: Where lines go.
    """

    def __init__(self, models: int, notices: Notices) -> None:
        self._models = models
        self._notices = notices
        self._live = sys.stderr.isatty() and not notices.quiet
        self._stage = ""
        self._told_s = 0.0
        self._shown = 0

    def say(self, text: str) -> None:
        """Something worth knowing."""
        self.clear()
        self._told_s = time.monotonic()
        self._notices.say(text)

    def warn(self, text: str) -> None:
        """Something that may not be what the user wants."""
        self.clear()
        self._notices.warn(text)

    def step(self, text: str) -> None:
        """What is being done for a model before it is loaded."""
        text = to_one_line(text)
        if self._live:
            self._show(text)
        elif time.monotonic() - self._told_s > _INTERVAL_S:
            self._told_s = time.monotonic()
            self._notices.say(text)

    def advance(self, stage: str, name: str, done: int, total: int | None) -> None:
        """How far a model is at a stage."""
        of = f" of {total:,}" if total else ""
        text = f"{_STAGES[stage]} {name}" if stage == "load" else f"{_STAGES[stage]} {name}: {done:,}{of}"
        if self._live:
            self._show(text)
        elif (f"{stage} {name}" != self._stage and stage != "time") or time.monotonic() - self._told_s > _INTERVAL_S:
            self._told_s = time.monotonic()
            self._notices.say(text)
        self._stage = f"{stage} {name}"

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            print("\r" + " " * self._shown + "\r", end="", file=sys.stderr, flush=True)
            self._shown = 0

    def _show(self, text: str) -> None:
        line = text[:79]
        print("\r" + line.ljust(self._shown), end="", file=sys.stderr, flush=True)
        self._shown = len(line)


@contextmanager
def show_study(models: int, notices: Notices) -> Iterator[StudyProgress]:
    """Tell how a study goes while the block goes on."""
    progress = StudyProgress(models, notices)
    try:
        yield progress
    finally:
        progress.clear()
