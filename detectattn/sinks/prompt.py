"""Frames written as soon as they come, for runs whose next frame may be an hour away."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from detectattn.sinks.base import Sink
from detectattn.types import Frame, Prediction


class PromptSink:
    """Hands each frame to several sinks at once, its record last.

    A run that writes pictures side by side completes a frame when later ones come, which keeps records in order without
    waiting. When a stream is lost nothing comes, and its last record would lie there until it is back. So this sink
    does all the work of a frame where other runs write pictures; with one thread for that, frames stay in order.

    Args:
        sinks: Where frames go, in this order.
        records: The sink whose line says that a frame is done; it sees the full timing.
        after: Those that are told when it is.
    """

    parallel: ClassVar[bool] = True

    def __init__(self, sinks: Sequence[Sink], records: Sink, after: Sequence[Sink] = ()) -> None:
        self._sinks = tuple(sinks)
        self._records = records
        self._after = tuple(after)
        self._lock = threading.Lock()

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Write one frame everywhere.

        Raises:
            OutputError: As the sinks.
        """
        with self._lock:
            start_s = time.perf_counter()
            for sink in self._sinks:
                sink.write(frame, prediction)
            write_ms = (time.perf_counter() - start_s) * 1e3
            self._records.write(frame, replace(prediction, timing=replace(prediction.timing, write_ms=write_ms)))
            for sink in self._after:
                sink.write(frame, prediction)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Let all take note of a frame that was written before."""
        for sink in (*self._sinks, self._records, *self._after):
            sink.recall(frame, prediction)

    def close(self) -> None:
        """Complete the files of all; an error in one does not keep the others from it.

        Raises:
            OutputError: The first error.
        """
        self._for_all("close")

    def abort(self) -> None:
        """Discard what is incomplete in all."""
        self._for_all("abort")

    def _for_all(self, action: str) -> None:
        errors = []
        with self._lock:
            for sink in (*self._sinks, self._records, *self._after):
                try:
                    getattr(sink, action)()
                except Exception as error:  # noqa: BLE001 - every sink gets its turn; the first error is raised below
                    errors.append(error)
        if errors:
            raise errors[0]


class WrittenBefore:
    """Takes the place of the sink of records, where these are written already."""

    parallel: ClassVar[bool] = False

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing: it is written."""

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note."""

    def close(self) -> None:
        """There is no file."""

    def abort(self) -> None:
        """There is no file."""
