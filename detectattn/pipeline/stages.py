"""The stages before writing: feed, decode, assemble, infer, each in threads of its own.

media ─feed→ decode workers ─assemble→ batches ─infer→ predictions
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.machine import count_usable_cores
from detectattn.pipeline.batching import Batcher, Reorder
from detectattn.pipeline.channel import Channel, StopSignal, Threads, Workers
from detectattn.pipeline.reading import OpenFrames, ReadyFrame, feed_media, iter_ready_frames
from detectattn.types import Detections, Frame, FrameFailure, Media, ModelInfo, Prediction, StageTiming

_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run is spread over threads.

    Attributes:
        thresholds: Which detections are kept.
        read_workers: Threads that decode and fit.
        write_workers: Threads that draw and encode.
    """

    thresholds: Thresholds
    read_workers: int = min(4, count_usable_cores())
    write_workers: int = min(4, count_usable_cores())


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

    Attributes:
        complete: Whether all media went through.
    """

    def __init__(
        self,
        detector: Detector,
        options: RunOptions,
        stop: StopSignal,
        on_failure: Callable[[FrameFailure], None],
    ) -> None:
        self.stop = stop
        self.complete = False
        self._detector = detector
        self._options = options
        self._on_failure = on_failure
        self._threads = Threads(stop)
        readers = options.read_workers
        self._pending: Channel[Any] = Channel(readers + 1, stop)
        self._batches: Channel[list[ReadyFrame]] = Channel(2, stop)
        self._done: Channel[Detected] = Channel(2 * detector.batch + 2, stop)

    def start(self, media: Iterable[Media | FrameFailure], open_frames: OpenFrames) -> None:
        """Start the threads."""
        workers = Workers(self._options.read_workers, "read", self._threads, self.stop)
        fit = self._detector.fit

        def feed() -> None:
            feed_media(media, open_frames, fit, workers, self._pending)
            workers.close()

        self._threads.start("feed", feed)
        self._threads.start("assemble", self._assemble)
        self._threads.start("infer", self._infer)

    def iter_detected(self) -> Iterator[Detected]:
        """Predictions in the order of the input.

        Raises:
            Stopped: The run is stopping; ``stop.error`` says why, if it was an error.
        """
        reorder: Reorder[Detected] = Reorder()
        for done in self._done:
            yield from reorder.add(done.order, done)
        self.complete = True

    def join(self) -> None:
        """Stop what still runs and wait for the threads; one that hangs in a read is left behind, as a daemon."""
        self.stop.set()
        self._threads.join(_JOIN_S)

    def _assemble(self) -> None:
        batcher = Batcher(self._detector.batch)
        for ready in iter_ready_frames(self._pending, self._detector.fit, self.stop, self._on_failure):
            for group in batcher.add(ready):
                self._batches.put(group)
        for group in batcher.flush():
            self._batches.put(group)
        self._batches.close()

    def _infer(self) -> None:
        for group in self._batches:
            for done in _detect(group, self._detector, self._options.thresholds):
                self._done.put(done)
        self._done.close()


def _detect(group: list[ReadyFrame], detector: Detector, thresholds: Thresholds) -> Iterator[Detected]:
    start = time.perf_counter()
    batch = detector.collate([ready.frame for ready in group], [(ready.planes, ready.resize) for ready in group])
    collated = time.perf_counter()
    outputs = detector.infer(batch)
    inferred = time.perf_counter()
    found = detector.decode(outputs, batch.resizes, thresholds)
    decoded = time.perf_counter()
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
