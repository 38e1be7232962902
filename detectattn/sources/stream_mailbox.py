"""Room for one frame between the thread that reads a stream and the one that wants the newest picture."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from detectattn.errors import SourceError
from detectattn.sources.stream_limits import StreamLimits
from detectattn.types import U8

Picture: TypeAlias = Callable[[], U8]

_POLL_S = 0.1
_MOST_WARNINGS = 10


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame that arrived, not yet converted.

    Attributes:
        index: Its number in the stream, from 0.
        to_bgr: Makes its pixels, u8[H, W, 3].
        arrived_s: When, on the monotonic clock.
        warnings: What went wrong since the one before.
    """

    index: int
    to_bgr: Picture
    arrived_s: float
    warnings: tuple[str, ...] = ()


class Mailbox:
    """Room for one frame between the reader's thread and the caller's.

    Attributes:
        stop: Set by the caller to end the reader.
        dropped: Frames that nobody asked for in time.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.dropped = 0
        self._changed = threading.Condition()
        self._shot: Shot | None = None
        self._opened = False
        self._delivered = False
        self._ended = False
        self._error: Exception | None = None

    def note_open(self) -> None:
        """The stream answers."""
        with self._changed:
            self._opened = True
            self._changed.notify()

    def put(self, shot: Shot) -> bool:
        """Leave a frame; one that still lies there is dropped, its last warnings are kept. Whether one was."""
        with self._changed:
            is_full = self._shot is not None
            if self._shot is not None:
                self.dropped += 1
                shot = replace(shot, warnings=(self._shot.warnings + shot.warnings)[-_MOST_WARNINGS:])
            self._shot = shot
            self._changed.notify()
            return is_full

    def end(self, error: Exception | None) -> None:
        """No more frames come, because of ``error`` if there is one."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify()

    def take(
        self,
        limits: StreamLimits,
        to_error: Callable[[str], SourceError],
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> Shot | None:
        """The newest frame, waiting for one; None at the end of the stream, or when the caller is stopped.

        Args:
            limits: How long to wait for the first.
            to_error: The error of a stream that never came, from a reason.
            is_stopped: Asked ten times a second.

        Raises:
            StreamLost: The first does not come in time.
            Exception: What ended the reader.
        """
        with self._changed:
            # The time limits here are for what no time limit of FFmpeg covers, such as looking up a host's name.
            if not self._delivered:
                if not self._wait(lambda: self._opened or self._ended, is_stopped, limits.open_s + 2):
                    raise to_error("no answer")
                if not self._wait(self._is_due, is_stopped, limits.first_frame_s):
                    raise to_error("it answers but sends no picture")
            self._wait(self._is_due, is_stopped, None)
            if is_stopped():
                return None
            shot, self._shot = self._shot, None
            if shot is None and self._error is not None:
                raise self._error
            self._delivered = True
            return shot

    def _wait(self, is_due: Callable[[], bool], is_stopped: Callable[[], bool], limit_s: float | None) -> bool:
        """Wait until something is due or the caller is stopped; False where neither happened in time."""
        deadline = None if limit_s is None else time.monotonic() + limit_s
        while not is_due() and not is_stopped():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            self._changed.wait(_POLL_S)
        return True

    def _is_due(self) -> bool:
        return self._shot is not None or self._ended
