"""The stages before writing: feed, decode, assemble, infer, each in threads of its own.

media ─feed→ decode workers ─assemble→ batches ─infer (one thread a stream)→ predictions, in order again
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.machine import count_usable_cores
from detectattn.pipeline.batching import Batcher, Reorder
from detectattn.pipeline.channel import Channel, Permits, StopSignal, Threads, Workers
from detectattn.pipeline.reading import FrameReader, OpenFrames, ReadyFrame, feed_media, iter_ready_frames
from detectattn.pipeline.timeline import StageClock
from detectattn.pipeline.watchdog import Watchdog
from detectattn.types import Detections, Frame, FrameFailure, Media, ModelInfo, Prediction, StageTiming

_JOIN_S = 5.0
_MOST_WORKERS = 16
_FIRST_ANSWER_S = 120.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run is spread over threads.

    Attributes:
        thresholds: Which detections are kept.
        read_workers: Threads that decode and fit.
        write_workers: Threads that draw and encode.
        first_answer_s: How long the first inference may take, for each picture of a batch, before the engine is taken
            for hung.
    """

    thresholds: Thresholds
    read_workers: int = min(_MOST_WORKERS, count_usable_cores())
    write_workers: int = min(_MOST_WORKERS, count_usable_cores())
    first_answer_s: float = _FIRST_ANSWER_S


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """A frame and what was found in it; ``order`` is its place in the run."""

    order: int
    frame: Frame
    prediction: Prediction


class Stages:
    """The threads before the writer. Every queue between them is bounded, so memory depends on their sizes alone.

    Args:
        detector: The model.
        options: Thresholds and threads.
        stop: Ends every wait; holds the error of the thread that failed.
        on_failure: Told of every input that failed, from a thread of the run.
        clock: Told what every stage takes.

    Attributes:
        complete: Whether all media went through.
    """

    def __init__(
        self,
        detector: Detector,
        options: RunOptions,
        stop: StopSignal,
        on_failure: Callable[[FrameFailure], None],
        clock: StageClock | None = None,
    ) -> None:
        self.stop = stop
        self.complete = False
        self._detector = detector
        self._options = options
        self._on_failure = on_failure
        self._clock = clock or StageClock()
        self._threads = Threads(stop)
        self._batcher = Batcher(detector.batch)
        self._streams = self._inferring = detector.engine.spec.streams
        self._lock = threading.Lock()
        self._watchdog = Watchdog(detector, stop, options.first_answer_s * detector.batch)
        self._pending: Channel[Any] = Channel(options.read_workers + 1, stop)
        self._batches: Channel[list[ReadyFrame]] = Channel(self._streams + 1, stop)
        self._done: Channel[Detected] = Channel(2 * detector.batch + 2, stop)
        # Frames between the batcher and the point where they are in order again: one that takes long holds the others
        # up rather than letting them pile up behind it. It must be more than a frame waits for in the batcher.
        self._under_way = Permits(self._batcher.window + (2 * self._streams + 1) * detector.batch, stop)

    def start(self, media: Iterable[Media | FrameFailure], open_frames: OpenFrames) -> None:
        """Start the threads."""
        workers = Workers(self._options.read_workers, "read", self._threads, self.stop)
        reader = FrameReader(open_frames, self._detector.fit, self._clock)

        def feed() -> None:
            feed_media(media, reader, workers, self._pending)
            workers.close()

        self._threads.start("feed", feed)
        self._threads.start("assemble", lambda: self._assemble(reader))
        self._threads.start("watchdog", self._watchdog.run)
        for number in range(self._streams):
            self._threads.start(f"infer-{number}", self._infer)

    def iter_detected(self) -> Iterator[Detected]:
        """Predictions in the order of the input.

        Raises:
            Stopped: The run is stopping; ``stop.error`` says why, if it was an error.
        """
        reorder: Reorder[Detected] = Reorder()
        for done in self._done:
            for detected in reorder.add(done.order, done):
                self._under_way.release()
                yield detected
        self.complete = True

    def join(self) -> None:
        """Stop what still runs and wait for the threads; one that hangs in a library is left behind, as a daemon."""
        self.stop.set()
        if any(name.startswith("infer") for name in self._threads.join(_JOIN_S)):
            self._detector.stalled = True

    def _assemble(self, reader: FrameReader) -> None:
        for ready in iter_ready_frames(self._pending, reader, self.stop, self._on_failure):
            self._under_way.acquire()
            for group in self._batcher.add(ready):
                self._batches.put(group)
        for group in self._batcher.flush():
            self._batches.put(group)
        self._batches.close()

    def _infer(self) -> None:
        try:
            for group in self._batches:
                for done in self._detect(group):
                    self._done.put(done)
        except BaseException:
            self._watchdog.end()
            raise
        with self._lock:
            self._inferring -= 1
            last = self._inferring == 0
        if last:
            self._watchdog.end()
            self._done.close()

    def _detect(self, group: list[ReadyFrame]) -> Iterator[Detected]:
        detector, clock = self._detector, self._clock
        label = ", ".join(ready.frame.source for ready in group)
        start = time.perf_counter()
        batch = detector.collate([ready.frame for ready in group], [(ready.planes, ready.resize) for ready in group])
        collated = clock.end("preprocess", start, label)
        with self._watchdog.watch():
            outputs = detector.infer(batch)
        inferred = clock.end("infer", collated, label)
        found = detector.decode(outputs, batch.resizes, self._options.thresholds)
        decoded = clock.end("postprocess", inferred, label)
        share_ms = 1e3 / len(group)
        for ready, detections in zip(group, found, strict=True):
            timing = StageTiming(
                decode_ms=ready.decode_ms,
                preprocess_ms=ready.preprocess_ms + (collated - start) * share_ms,
                infer_ms=(inferred - collated) * share_ms,
                postprocess_ms=(decoded - inferred) * share_ms,
            )
            yield Detected(ready.order, ready.frame, to_prediction(ready.frame, detections, detector.info, timing))


def to_prediction(frame: Frame, detections: Detections, model: ModelInfo, timing: StageTiming) -> Prediction:
    """The prediction for one frame."""
    return Prediction(
        source=frame.source,
        index=frame.index,
        size_hw=frame.size_hw,
        detections=detections,
        model=model.name,
        class_names=model.class_names,
        timing=timing,
        timestamp_s=frame.timestamp_s,
        warnings=frame.warnings,
    )
