"""What becomes of the streams of a run: whether they are there, what was dropped, how old frames are when done."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

StreamPhase = Literal["waiting", "connecting", "running", "reconnecting", "ended"]

_TELL_AWAY_S = (60.0, 600.0, 3600.0)
_TELL_LOST_S = 60.0
_AGES_KEPT = 4096
_TAKEN_KEPT = 256


@dataclass(frozen=True, slots=True)
class StreamState:
    """How the streams of a run stand.

    Attributes:
        phase: ``waiting`` before the first is opened; of the last one opened otherwise.
        received: Frames that arrived, those that a stride passes over left out.
        dropped: Of them, those that were never looked at, because newer ones came.
        reconnects: How often a stream that was lost came back.
        attempts: To get it back, since it was lost; 0 while it is there.
        away_s: How long streams were away in all, up to now.
        away_since: When it was lost, in seconds of the epoch; None while it is there.
        last_frame: When the last frame arrived, in seconds of the epoch; None before the first.
        reason: Why it was lost last; empty where it never was.
    """

    phase: StreamPhase = "waiting"
    received: int = 0
    dropped: int = 0
    reconnects: int = 0
    attempts: int = 0
    away_s: float = 0.0
    away_since: float | None = None
    last_frame: float | None = None
    reason: str = ""


class StreamWatch:
    """Keeps count of a run's streams; told by the threads that read them, asked by any other.

    Args:
        tell: Takes sentences for a person: a stream is back. Called from the reader's thread.
        warn: Likewise: it was lost, or is away still. None for ``tell``.
    """

    def __init__(self, tell: Callable[[str], None] | None = None, warn: Callable[[str], None] | None = None) -> None:
        self._tell = tell or _leave_out
        self._warn = warn or self._tell
        self._lock = threading.Lock()
        self._state = StreamState()
        self._away_from_s: float | None = None
        self._away_before_s = 0.0
        self._told = 0
        self._lost_told_s: float | None = None
        self._is_telling = True
        self._origin_s = 0.0
        self._taken: deque[float] = deque(maxlen=_TAKEN_KEPT)
        self._ages: deque[tuple[float, float]] = deque(maxlen=_AGES_KEPT)

    def read(self) -> StreamState:
        """How things stand now."""
        with self._lock:
            return replace(self._state, away_s=self._away_before_s + self._away_now_s())

    def list_ages_s(self, last_s: float) -> list[float]:
        """How old frames were when they were done, of those done within the last so many seconds, in seconds."""
        since = time.monotonic() - last_s
        with self._lock:
            return [age for done, age in self._ages if done >= since]

    def note_opening(self) -> None:
        """A stream is being opened for the first time."""
        self._change(phase="connecting")

    def note_frame(self, *, dropped: bool) -> None:
        """A frame arrived; ``dropped`` says that it took the place of one that nobody had asked for."""
        with self._lock:
            state = self._state
            self._state = replace(
                state,
                phase="running",
                received=state.received + 1,
                dropped=state.dropped + dropped,
                last_frame=time.time(),
            )

    def note_taken(self, arrived_s: float, timestamp_s: float) -> None:
        """A frame was taken to be worked on, which arrived then on the monotonic clock; 0 is the stream's first."""
        with self._lock:
            if timestamp_s == 0:
                self._taken.clear()
            self._origin_s = arrived_s - timestamp_s
            self._taken.append(timestamp_s)

    def note_done(self, timestamp_s: float) -> None:
        """The frame with that ``timestamp_s`` is done, and so are those before it, or they failed."""
        now = time.monotonic()
        with self._lock:
            self._ages.append((now, now - self._origin_s - timestamp_s))
            while self._taken and self._taken[0] <= timestamp_s:
                self._taken.popleft()

    def count_under_way(self) -> int:
        """Frames that were taken and are not done."""
        with self._lock:
            return len(self._taken)

    def note_lost(self, source: str, reason: str) -> None:
        """A stream that was there is not, or an attempt to get it back failed."""
        with self._lock:
            is_new = self._away_from_s is None
            if is_new:
                self._begin_away()
                self._state = replace(self._state, phase="reconnecting", away_since=time.time(), reason=reason)
            self._state = replace(self._state, attempts=0 if is_new else self._state.attempts + 1)
            away_s, attempts = self._away_now_s(), self._state.attempts
            is_long = not is_new and away_s >= self._next_telling_s()
            if is_long:
                self._told, self._is_telling = self._told + 1, True
            is_told = is_new and self._is_telling
            times = self._state.reconnects + 1
        if is_told:
            again = "" if times == 1 else f", for the {times:,}th time" if times > 3 else " again"
            self._warn(f"{source} was lost{again} ({reason}); it is called again until it is back")
        elif is_long:
            self._warn(f"{source} has been away for {_describe_s(away_s)}, {attempts} attempts ({reason})")

    def note_back(self, source: str) -> None:
        """A stream that was lost sends pictures again."""
        with self._lock:
            away_s, attempts = self._away_now_s(), self._state.attempts + 1
            is_told = self._is_telling
            self._away_before_s += away_s
            self._away_from_s = None
            self._state = replace(
                self._state, phase="running", reconnects=self._state.reconnects + 1, attempts=0, away_since=None
            )
        if is_told:
            counted = "1 attempt" if attempts == 1 else f"{attempts} attempts"
            self._tell(f"{source} is back after {_describe_s(away_s)} ({counted})")

    def note_end(self) -> None:
        """The stream ended, was given up, or nobody wants its frames any more."""
        with self._lock:
            self._away_before_s += self._away_now_s()
            self._away_from_s = None
            self._state = replace(self._state, phase="ended", attempts=0, away_since=None)

    def _change(self, phase: StreamPhase) -> None:
        with self._lock:
            self._state = replace(self._state, phase=phase)

    def _begin_away(self) -> None:
        """From now on; a stream that comes and goes is not told of more than once a minute."""
        now = self._away_from_s = time.monotonic()
        self._told = 0
        self._is_telling = self._lost_told_s is None or now - self._lost_told_s >= _TELL_LOST_S
        if self._is_telling:
            self._lost_told_s = now

    def _away_now_s(self) -> float:
        return 0.0 if self._away_from_s is None else time.monotonic() - self._away_from_s

    def _next_telling_s(self) -> float:
        """After a minute, ten, an hour, and every further hour; a camera may be away for a week."""
        last = len(_TELL_AWAY_S) - 1
        return _TELL_AWAY_S[self._told] if self._told <= last else _TELL_AWAY_S[last] * (self._told - last + 1)


def _describe_s(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _leave_out(sentence: str) -> None:
    return
