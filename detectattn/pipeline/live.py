"""A run that reads live streams: how far behind it may be, and what it says of itself while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from detectattn.sources.stream_limits import StreamLimits
from detectattn.sources.stream_options import StreamOptions
from detectattn.sources.stream_watch import StreamWatch
from detectattn.types import Frame, Prediction

_POLL_S = 0.005
_GIVEN_UP_S = 30.0
_LATE_S = 0.3


class _LateStop:
    """Whether a run has been stopping for a moment.

    A stream that ends before its first frame is a failure. So those who wait for that frame must have seen the signal
    themselves by then.
    """

    def __init__(self, is_stopped: Callable[[], bool]) -> None:
        self._is_stopped = is_stopped
        self._since_s: float | None = None

    def __call__(self) -> bool:
        if not self._is_stopped():
            return False
        now = time.monotonic()
        self._since_s = now if self._since_s is None else self._since_s
        return now - self._since_s >= _LATE_S


class LivePace:
    """Lets a stream's next frame be taken only when few are under way, so that what is taken is new when it is done.

    The queues of a run hold several frames for each stage; full of frames of a camera that is faster than the model,
    they would make every result that much older.

    Args:
        watch: Knows how many are under way.
        most: Frames that may be.
        is_stopped: Whether the run is stopping.
    """

    def __init__(self, watch: StreamWatch, most: int, is_stopped: Callable[[], bool]) -> None:
        self._watch = watch
        self._most = most
        self._is_stopped = is_stopped

    def await_turn(self) -> None:
        """Wait until one more may be under way; half a minute at most, for frames may have failed."""
        deadline = time.monotonic() + _GIVEN_UP_S
        while self._watch.count_under_way() >= self._most and time.monotonic() < deadline and not self._is_stopped():
            time.sleep(_POLL_S)


class LiveSink:
    """Writes nothing: notes when frames of streams are done.

    Args:
        watch: Told of it.
    """

    parallel: ClassVar[bool] = False

    def __init__(self, watch: StreamWatch) -> None:
        self._watch = watch

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Note one frame."""
        if frame.media.kind == "stream" and frame.timestamp_s is not None:
            self._watch.note_done(frame.timestamp_s)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note: it is not live any more."""

    def close(self) -> None:
        """There is no file."""

    def abort(self) -> None:
        """There is no file."""


class Live:
    """The streams of one run.

    Args:
        limits: How long a stream may keep one waiting, and how often it is called again.
        most_under_way: Frames of a stream between its reader and the records. Where frames are completed by later ones,
            it must be more than wait for that.
        is_stopped: Whether the run is stopping.
        tell: Takes sentences for a person.
        warn: Takes those that matter also to one who wants to hear little.

    Attributes:
        watch: What became of them so far.
        options: How they are read.
        sink: To be among the run's sinks.
    """

    def __init__(
        self,
        limits: StreamLimits,
        most_under_way: int,
        is_stopped: Callable[[], bool],
        tell: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self.watch = StreamWatch(tell, warn)
        pace = LivePace(self.watch, most_under_way, is_stopped)
        self.options = StreamOptions(limits, self.watch, _LateStop(is_stopped), pace.await_turn)
        self.sink = LiveSink(self.watch)

    @property
    def is_begun(self) -> bool:
        """Whether a stream was opened."""
        return self.watch.read().phase != "waiting"

    def counts(self) -> dict[str, Any]:
        """As ``run.json`` holds them; empty where no stream was opened."""
        state = self.watch.read()
        if state.phase == "waiting":
            return {}
        return {"dropped": state.dropped, "reconnects": state.reconnects, "away_s": round(state.away_s, 1)}
