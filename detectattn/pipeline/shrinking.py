"""What is done when a device's memory runs out: fewer pictures at once, then fewer calls, then without this one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from math import prod
from typing import Any

from detectattn.errors import OutOfMemory
from detectattn.pipeline.reading import ReadyFrame
from detectattn.pipeline.recovery import Recovery
from detectattn.pipeline.watchdog import Call, WatchedEngine
from detectattn.types import FrameFailure


class Shrinking:
    """Remembers what fitted and what did not. Thread-safe.

    Args:
        batch: Pictures that go through together at the beginning.
    """

    def __init__(self, batch: int) -> None:
        self._lock = threading.Lock()
        self._batch = batch
        self._reason = ""
        self._largest_px = 0

    def make_room(
        self, engine: WatchedEngine[Any], call: Call, rows: int, group: Sequence[ReadyFrame], error: OutOfMemory
    ) -> FrameFailure | None:
        """See to it that the group can be tried again; why its one frame is to be left out, where nothing helps.

        A frame is left out if its input is larger than any that fitted: then others can be expected to fit. Where all
        inputs are of one size, or of this one some fitted before, memory has become scarce for all.

        Args:
            engine: Whose memory ran out.
            call: The call that did not fit.
            rows: Pictures that the call held, padding included.
            group: The frames of it.
            error: What the engine said.

        Raises:
            OutOfMemory: Nothing helps, and the next frame would fit no better.
        """
        detector = engine.detector
        is_free = detector.engine.spec.fixed_batch is None
        with self._lock:
            if rows > 1 and is_free:
                # Another thread may have halved it for the same reason already.
                detector.batch = min(detector.batch, rows // 2)
                self._reason = self._reason or error.problem
                return None
            if not call.alone:
                engine.run_alone()
                return None
            if len(group) > 1 or not 0 < self._largest_px < prod(group[0].resize.net_hw):
                raise error
        frame = group[0].frame
        return FrameFailure(frame.source, frame.index or None, error.code, str(error))

    def note_fit(self, rows: int, net_hw: tuple[int, int], after: int) -> Recovery | None:
        """Note that a call went through; what was got over by it, where it is the first of a smaller batch."""
        with self._lock:
            self._largest_px = max(self._largest_px, prod(net_hw))
            if not self._reason or rows >= self._batch:
                return None
            recovery = Recovery("batch", str(self._batch), str(rows), after, self._reason)
            self._batch, self._reason = rows, ""
            return recovery
