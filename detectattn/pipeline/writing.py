"""Hand frames to the sinks: pictures on several threads at once, records in the order of the input."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from detectattn.pipeline.budget import WRITING_BYTES, count_pixel_bytes
from detectattn.pipeline.channel import StopSignal, Workers, wait_for
from detectattn.pipeline.naming import naming
from detectattn.pipeline.timeline import StageClock
from detectattn.sinks.base import Sink
from detectattn.types import Frame, Prediction

OnWritten = Callable[[Frame, Prediction], None]


class Writer:
    """Writes each frame to all sinks; a frame's record is written last, when its pictures are there.

    Args:
        sinks: Where frames go. Those that allow it run on the workers, the others in the caller's thread, in order.
        records: The sink whose line says that a frame is done; it sees the full timing.
        workers: Threads for the parallel sinks.
        stop: Ends waits.
        on_written: Told of every frame that is done.
        at_once: Frames whose pictures may be under way however large they are; one more where they are small.
        clock: Told what writing takes.

    Attributes:
        is_broken: Whether writing a frame was broken off, by an error or an interrupt. Nothing is written after that:
            a frame without its record between others that have theirs would never be made up for.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        records: Sink,
        workers: Workers,
        stop: StopSignal,
        on_written: OnWritten,
        at_once: int,
        clock: StageClock | None = None,
    ) -> None:
        self._parallel = [sink for sink in sinks if sink.parallel]
        self._ordered = [sink for sink in sinks if not sink.parallel]
        self._records = records
        self._workers = workers
        self._stop = stop
        self._on_written = on_written
        self._at_once = at_once
        self._clock = clock or StageClock()
        self._pending: deque[tuple[Frame, Prediction, Future[float]]] = deque()
        self._pending_bytes = 0
        self.is_broken = False

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Take one frame, in the order of the input."""
        self._pending.append((frame, prediction, self._workers.submit(self._write_parallel, frame, prediction)))
        self._pending_bytes += count_pixel_bytes(frame)
        while self._pending and (self._is_full() or self._pending[0][2].done()):
            self._complete()

    def drain(self) -> None:
        """Complete all frames that are under way; none where writing was broken off."""
        while self._pending:
            self._complete()

    def close(self) -> None:
        """Complete the files of all sinks; an error in one does not keep the others from it."""
        self._for_all("close")

    def abort(self) -> None:
        """Discard what is incomplete in all sinks."""
        self._for_all("abort")

    def _for_all(self, action: str) -> None:
        errors = []
        for sink in (*self._parallel, *self._ordered, self._records):
            try:
                getattr(sink, action)()
            except Exception as error:  # noqa: BLE001 - every sink gets its turn; the first error is raised below
                errors.append(error)
        if errors:
            raise errors[0]

    def _is_full(self) -> bool:
        if self._pending_bytes > WRITING_BYTES:
            return len(self._pending) > self._at_once
        return len(self._pending) > self._at_once + 1

    def _complete(self) -> None:
        try:
            self._write_next()
        except BaseException:
            self.is_broken = True
            self._pending.clear()
            raise

    def _write_next(self) -> None:
        frame, prediction, future = self._pending[0]
        write_ms = wait_for(future, self._stop)
        self._pending.popleft()
        self._pending_bytes -= count_pixel_bytes(frame)
        start = time.perf_counter()
        with naming(frame.source):
            for sink in self._ordered:
                sink.write(frame, prediction)
            write_ms += (time.perf_counter() - start) * 1e3
            timed = replace(prediction, timing=replace(prediction.timing, write_ms=write_ms))
            self._records.write(frame, timed)
        self._clock.end("write", start, frame.source)
        self._on_written(frame, timed)

    def _write_parallel(self, frame: Frame, prediction: Prediction) -> float:
        start = time.perf_counter()
        with naming(frame.source):
            for sink in self._parallel:
                sink.write(frame, prediction)
        return (self._clock.end("write", start, frame.source) - start) * 1e3
