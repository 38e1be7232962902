"""The driver's eye on a run: what the board knows, for the progress and for whatever ends a run before its time."""

from __future__ import annotations

import time

from detectattn.cli.cluster_progress import ShowProgress
from detectattn.cli.cluster_summary import ClusterOutcome
from detectattn.cli.console import Notices
from detectattn.config import parse_max_failures
from detectattn.distributed.board import Progress
from detectattn.distributed.drive import BoardHandle
from detectattn.errors import RunInUse, TooManyFailures
from detectattn.pipeline.channel import StopSignal

_LOOK_S = 0.5


class Watch:
    """Looks at the board now and then: shows progress, and says when a run is to end before its time.

    Args:
        outcome: Told of the progress.
        board: Looked at, and told to stop.
        stop: Set from outside, or here where too many inputs failed.
        max_failures: As the option has it.
        show: Told of the progress, too.
        notices: Told of what replicas got over.
    """

    def __init__(
        self,
        outcome: ClusterOutcome,
        board: BoardHandle,
        stop: StopSignal,
        max_failures: str,
        show: ShowProgress,
        notices: Notices,
    ) -> None:
        self._outcome = outcome
        self._board = board
        self._stop = stop
        self._limit = max_failures
        self._show = show
        self._notices = notices
        self._warned: set[str] = set()
        self._looked_s = 0.0
        self._asked_to_stop = False

    def is_over(self) -> bool:
        """Whether nothing is under way any more, after an error or because the run was to stop."""
        if time.monotonic() - self._looked_s < _LOOK_S:
            return False
        self.look()
        if isinstance(self._stop.error, RunInUse):
            return True  # another driver does what is under way here as well
        progress = self._outcome.progress
        if progress.error is None and not self._stop.is_set():
            self._limit_failures(progress)
        if self._stop.is_set() and not self._asked_to_stop:
            self._board.stop()
            self._asked_to_stop = True
            return False
        return (self._asked_to_stop or progress.error is not None) and progress.busy == 0

    def look(self) -> None:
        """See how far the run is."""
        self._looked_s = time.monotonic()
        progress = self._board.look()
        if progress is not None:
            self._outcome.progress = progress
            self._show(progress)
            for text in progress.warnings:
                if text not in self._warned:
                    self._warned.add(text)
                    self._notices.warn(text)

    def _limit_failures(self, progress: Progress) -> None:
        failed = self._outcome.failed_before + progress.failures
        if parse_max_failures(self._limit).is_passed(failed, self._outcome.inputs_before + progress.inputs):
            self._stop.set(
                TooManyFailures(
                    f"{failed:,} inputs failed, more than --max-failures {self._limit} bears",
                    hint=f"{self._outcome.place}/failures/ says why; mend that, or allow more with --max-failures",
                )
            )
