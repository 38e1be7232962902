"""The stages before writing: feed, decode, assemble, infer, each in threads of its own.

media ─feed→ decode workers ─assemble→ batches ─infer (one thread a stream)→ predictions, in order again

Every queue is bounded, in number; where frames are large, they are bounded in bytes as well (``budget.py``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.machine import count_usable_cores
from detectattn.pipeline.batching import Batcher, Reorder
from detectattn.pipeline.budget import UNDER_WAY_BYTES, Ahead, Budget, count_pixel_bytes
from detectattn.pipeline.channel import Channel, StopSignal, Threads, Workers
from detectattn.pipeline.detected import Outcome, Undetected, Unread
from detectattn.pipeline.in_time import ANSWER_S
from detectattn.pipeline.inference import Group, Inference, Passage
from detectattn.pipeline.reading import FrameReader, OpenFrames, feed_media, iter_ready_frames
from detectattn.pipeline.recovery import Recovery, Rescue
from detectattn.pipeline.timeline import StageClock
from detectattn.types import FrameFailure, Media

_JOIN_S = 5.0
_MOST_WORKERS = 16


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
    first_answer_s: float = ANSWER_S


class Stages:
    """The threads before the writer, and what frames wait in between them.

    Args:
        detector: The model.
        options: Thresholds and threads.
        stop: Ends every wait; holds the error of the thread that failed.
        clock: Told what every stage takes.
        rescue: What may be done about an engine that fails.

    Attributes:
        complete: Whether all media went through.
    """

    def __init__(
        self,
        detector: Detector,
        options: RunOptions,
        stop: StopSignal,
        clock: StageClock | None = None,
        rescue: Rescue | None = None,
    ) -> None:
        self.stop = stop
        self.complete = False
        self._detector = detector
        self._options = options
        self._clock = clock or StageClock()
        self._threads = Threads(stop)
        streams, batch = detector.engine.spec.streams, detector.batch
        self._batcher = Batcher(batch)
        self._ahead = Ahead(stop, options.read_workers + 1)
        self._pending: Channel[Any] = Channel(options.read_workers + 1, stop)
        self._batches: Channel[Group] = Channel(streams + 1, stop)
        self._done: Channel[Outcome] = Channel(2 * batch + 2, stop)
        # Frames between the batcher and the point where they are in order again: one that takes long holds the others
        # up rather than letting them pile up behind it. However large they are, there may be more of them than a frame
        # waits for in the batcher, so that some of them wait for nothing that is still to come.
        least = max(self._batcher.window, (streams + 2) * batch)
        most = self._batcher.window + (2 * streams + 1) * batch
        self._under_way = Budget(stop, UNDER_WAY_BYTES, least, most)
        passage = Passage(self._batches, self._done)
        self._inference = Inference(
            detector, options.thresholds, passage, stop, self._clock, options.first_answer_s, rescue or Rescue()
        )

    @property
    def batch(self) -> int:
        """Pictures that go through together now: fewer than at the beginning, if memory ran out."""
        return self._inference.batch

    @property
    def recovered(self) -> list[Recovery]:
        """What was got over so far."""
        return self._inference.recovered

    def start(self, media: Iterable[Media | FrameFailure], open_frames: OpenFrames) -> None:
        """Start the threads."""
        workers = Workers(self._options.read_workers, "read", self._threads, self.stop)
        reader = FrameReader(self._ahead.weigh(open_frames), self._detector.fit, self._clock)

        def feed() -> None:
            feed_media(self._ahead.pace(media), reader, workers, self._pending)
            workers.close()

        self._threads.start("feed", feed)
        self._threads.start("assemble", lambda: self._assemble(reader))
        self._inference.start()

    def iter_outcomes(self) -> Iterator[Outcome]:
        """What became of every frame, and what could not be read in its place among them, in the order of the input.

        Raises:
            Stopped: The run is stopping; ``stop.error`` says why, if it was an error.
        """
        reorder: Reorder[Outcome] = Reorder()
        broken: Media | None = None
        for done in self._done:
            outcomes = deque(reorder.add(done.order, done))
            del done  # or its pixels would stay until the next one comes
            while outcomes:
                outcome = outcomes.popleft()
                if not isinstance(outcome, Unread):
                    self._under_way.release(count_pixel_bytes(outcome.frame))
                if broken is not None and outcome.media is broken:
                    continue
                # As where it cannot be read any further: what follows of the same medium is left out. A stream goes on:
                # its next picture may be smaller, and what is missing of it is no gap in a file.
                if isinstance(outcome, Undetected) and outcome.media.kind != "stream":
                    broken = outcome.media
                yield outcome
                del outcome
        self.complete = True

    def join(self) -> None:
        """Stop what still runs and wait for the threads; one that hangs in a library is left behind, as a daemon."""
        self.stop.set()
        self._inference.join(_JOIN_S)
        self._threads.join(_JOIN_S)

    def _assemble(self, reader: FrameReader) -> None:
        for ready in iter_ready_frames(self._pending, reader, self.stop):
            if isinstance(ready, Unread):
                self._done.put(ready)
                groups = self._batcher.skip(ready.order)
            else:
                self._under_way.acquire(count_pixel_bytes(ready.frame))
                groups = self._batcher.add(ready)
            for group in groups:
                self._batches.put(group)
        for group in self._batcher.flush():
            self._batches.put(group)
        self._batches.close()
