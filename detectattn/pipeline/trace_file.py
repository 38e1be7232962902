"""A run's timeline as a file of trace events, which Perfetto (ui.perfetto.dev) and Chrome's ``about:tracing`` open."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from detectattn.pipeline.timeline import Stage
from detectattn.sinks.files import open_new_file, output_errors


class TraceFile:
    """Writes slices as they come, so memory does not grow with the run: one complete event ("X") each.

    Times are microseconds from the opening of the file; threads are numbered as they first appear, and named.
    """

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self._path = path
        self._stream = stream
        self._lock = threading.Lock()
        self._start_s = time.perf_counter()
        self._threads: dict[str, int] = {}
        self._stream.write(b'{"displayTimeUnit":"ms","traceEvents":[\n')
        self._put({"ph": "M", "name": "process_name", "args": {"name": "detectattn"}}, 0, first=True)

    def write(self, thread: str, stage: Stage, start_s: float, end_s: float, label: str) -> None:
        """One slice of a thread's work; see :class:`detectattn.pipeline.timeline.Trace`."""
        with self._lock, output_errors(self._path):
            number = self._threads.get(thread)
            if number is None:
                number = self._threads[thread] = len(self._threads) + 1
                self._put({"ph": "M", "name": "thread_name", "args": {"name": thread}}, number)
            times = {"ts": self._to_us(start_s), "dur": round((end_s - start_s) * 1e6, 1)}
            self._put({"ph": "X", "name": stage, "cat": "stage", **times, "args": {"of": label}}, number)

    @property
    def is_empty(self) -> bool:
        """Whether no slice was written yet."""
        return not self._threads

    def finish(self) -> None:
        """Write the end; slices that come later are left out."""
        with self._lock:
            self._stream.write(b"\n]}\n")
            self._put = _leave_out  # type: ignore[method-assign]  # a thread that was left behind may still come

    def _to_us(self, time_s: float) -> float:
        return round((time_s - self._start_s) * 1e6, 1)

    def _put(self, event: dict[str, Any], thread: int, *, first: bool = False) -> None:
        line = json.dumps({**event, "pid": os.getpid(), "tid": thread}, ensure_ascii=True, separators=(",", ":"))
        self._stream.write(("" if first else ",\n").encode() + line.encode())


def _leave_out(event: dict[str, Any], thread: int, *, first: bool = False) -> None:
    return


@contextmanager
def open_trace(path: Path) -> Iterator[TraceFile]:
    """A new trace file; it is whole when the block ends, also by an error once there is something in it.

    Raises:
        OutputExists: ``path`` is there already.
        DiskFull, WriteFailed: It cannot be written.
    """
    raised: BaseException | None = None
    with open_new_file(path) as stream:
        trace = TraceFile(path, stream)
        try:
            yield trace
        except BaseException as error:
            if trace.is_empty:
                raise
            raised = error  # raised again below, once the file has its name
        trace.finish()
    if raised is not None:
        raise raised
