"""The threads that infer: they take groups of frames through the engine, and get over one that fails them.

memory runs out   the batch halves, down to one picture; then calls wait for each other; then it is this picture that
                  does not fit, if smaller ones did, or the run ends
the engine hangs  another takes over, once; what the hung calls were for is done again by new threads, and their own
                  answers, if any come, are discarded
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from functools import partial

from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import DetectattnError, OutOfMemory
from detectattn.pipeline.channel import Channel, StopSignal, Threads, wait_for
from detectattn.pipeline.detected import Detected, Outcome, Undetected, to_prediction
from detectattn.pipeline.naming import naming
from detectattn.pipeline.reading import ReadyFrame
from detectattn.pipeline.recovery import Recovery, Rescue, describe_engine, engine_errors, name_sources, require_alike
from detectattn.pipeline.shrinking import Shrinking
from detectattn.pipeline.timeline import StageClock
from detectattn.pipeline.watchdog import Call, GivenUp, NotBegun, Stall, WatchedEngine
from detectattn.types import StageTiming

Group = list[ReadyFrame]


@dataclass(slots=True, eq=False)
class _Lane:
    """One line of work: what its thread has still to do, or that which goes on in its place."""

    name: str
    todo: deque[Group] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class Passage:
    """What frames go through.

    Attributes:
        groups: Frames of one input shape each, no more than a batch; closed after the last.
        done: Takes what became of each frame, in any order; it is closed after the last.
    """

    groups: Channel[Group]
    done: Channel[Outcome]


class Inference:
    """As many threads as the engine runs calls side by side, and one that watches them.

    Args:
        detector: The model. Frames are named after it, whatever engine runs it in the end.
        thresholds: Which detections are kept.
        passage: Where frames come from and go to.
        stop: Ends every wait; holds the error of the thread that failed.
        clock: Told what every stage takes.
        first_answer_s: How long the first inference may take, for each picture of a batch.
        rescue: What may be done about an engine that hangs.

    Attributes:
        recovered: What was got over.
    """

    def __init__(
        self,
        detector: Detector,
        thresholds: Thresholds,
        passage: Passage,
        stop: StopSignal,
        clock: StageClock,
        first_answer_s: float,
        rescue: Rescue,
    ) -> None:
        self.recovered: list[Recovery] = []
        self._detector = detector
        self._thresholds = thresholds
        self._passage = passage
        self._stop = stop
        self._clock = clock
        self._first_answer_s = first_answer_s
        self._rescue = rescue
        self._threads = Threads(stop)
        self._shrinking = Shrinking(detector.batch)
        self._engine = self._watch(detector)
        self._fallback: Detector | None = None
        self._replacing = threading.Lock()
        self._lock = threading.Lock()
        self._lanes = detector.engine.spec.streams
        self._detected = 0
        self._ended = threading.Event()

    @property
    def batch(self) -> int:
        """Pictures that go through together now."""
        return self._engine.detector.batch

    def start(self) -> None:
        """Start the threads."""
        self._threads.start("watchdog", self._supervise)
        for number in range(self._lanes):
            self._start_lane(_Lane(f"infer-{number}"))

    def join(self, timeout_s: float) -> None:
        """Wait for the threads; one that hangs in a library is left behind, as a daemon."""
        self._ended.set()
        if any(name.startswith("infer") for name in self._threads.join(timeout_s)):
            self._engine.detector.stalled = True
        if self._fallback is not None:
            self._rescue.release(self._fallback)

    def _watch(self, detector: Detector) -> WatchedEngine[_Lane]:
        return WatchedEngine(detector, self._stop, self._first_answer_s * detector.batch)

    def _start_lane(self, lane: _Lane) -> None:
        self._threads.start(lane.name, partial(self._work, lane))

    def _supervise(self) -> None:
        while (stall := self._engine.watch(self._ended)) is not None:
            self._threads.leave([lane.name for lane in stall.callers])
            with self._replacing:
                self._engine = self._watch(self._open_fallback(stall))
            for lane in stall.callers:
                self._start_lane(lane)

    def _open_fallback(self, stall: Stall[_Lane]) -> Detector:
        """The engine that takes over; a second one there is not.

        Raises:
            EngineError: There is none, or it cannot be had; it tells of the engine that hangs.
        """
        if self._rescue.open_fallback is None or self._fallback is not None:
            raise stall.error
        opening: Future[Detector] = Future()
        # In a thread of its own, since opening it may hang as well.
        self._threads.start("fallback", partial(_complete, opening, self._rescue.open_fallback))
        try:
            fallback = wait_for(opening, self._stop, self._first_answer_s)
            require_alike(fallback, self._detector)
        except (DetectattnError, FutureTimeoutError) as error:
            raise stall.error from error
        was, fallback.batch = self._engine.detector, fallback.engine.spec.fixed_batch or self.batch
        self._fallback = fallback
        names = describe_engine(was), describe_engine(fallback)
        self._recover(Recovery("engine", *names, self._detected, stall.error.problem))
        return fallback

    def _work(self, lane: _Lane) -> None:
        try:
            self._work_off(lane)
            for group in self._passage.groups:
                lane.todo.append(group)
                del group  # or its pixels would stay until the next one comes
                self._work_off(lane)
        except GivenUp:
            return  # Another thread has gone on with the lane.
        with self._lock:
            self._lanes -= 1
            is_last = self._lanes == 0
        if is_last:
            self._ended.set()
            self._passage.done.close()

    def _work_off(self, lane: _Lane) -> None:
        while lane.todo:
            with self._replacing:
                engine = self._engine
            rows = engine.detector.batch
            group = lane.todo[0]
            if len(group) > rows:
                lane.todo.popleft()
                lane.todo.extendleft(group[i : i + rows] for i in reversed(range(0, len(group), rows)))
                continue
            outcomes = self._try(lane, engine, rows, group)
            if outcomes is not None:
                lane.todo.popleft()
                for outcome in outcomes:
                    self._passage.done.put(outcome)

    def _try(self, lane: _Lane, engine: WatchedEngine[_Lane], rows: int, group: Group) -> list[Outcome] | None:
        """What became of each frame of a group; None where it is to be tried again."""
        call = Call()
        try:
            return self._detect(lane, engine, rows, group, call)
        except NotBegun:
            return None
        except OutOfMemory as error:
            failure = self._shrinking.make_room(engine, call, rows, group, error)
            return None if failure is None else [Undetected(group[0].order, group[0].frame, failure)]

    def _detect(self, lane: _Lane, engine: WatchedEngine[_Lane], rows: int, group: Group, call: Call) -> list[Outcome]:
        detector, clock, names = engine.detector, self._clock, name_sources(group)
        start = time.perf_counter()
        with engine_errors(detector, group):
            batch = detector.collate([r.frame for r in group], [(r.planes, r.resize) for r in group], rows)
        collated = clock.end("preprocess", start, names)
        with engine.call(lane, call):
            begun = time.perf_counter()
            with engine_errors(detector, group):
                outputs = detector.infer(batch)
        inferred = clock.end("infer", begun, names)
        with naming(names):
            found = detector.decode(outputs, batch.resizes, self._thresholds)
        decoded = clock.end("postprocess", inferred, names)
        self._note_fit(rows, group)
        share_ms = 1e3 / len(group)
        outcomes: list[Outcome] = []
        for ready, detections in zip(group, found, strict=True):
            timing = StageTiming(
                decode_ms=ready.decode_ms,
                preprocess_ms=ready.preprocess_ms + (collated - start) * share_ms,
                infer_ms=(inferred - begun) * share_ms,
                postprocess_ms=(decoded - inferred) * share_ms,
            )
            prediction = to_prediction(ready.frame, detections, self._detector.info, timing)
            outcomes.append(Detected(ready.order, ready.frame, prediction))
        return outcomes

    def _note_fit(self, rows: int, group: Group) -> None:
        recovery = self._shrinking.note_fit(rows, group[0].resize.net_hw, self._detected)
        with self._lock:
            self._detected += len(group)
        if recovery is not None:
            self._recover(recovery)

    def _recover(self, recovery: Recovery) -> None:
        self.recovered.append(recovery)
        self._rescue.tell(recovery)


def _complete(future: Future[Detector], job: Callable[[], Detector]) -> None:
    try:
        future.set_result(job())
    except BaseException as error:  # noqa: BLE001 - delivered through the future
        future.set_exception(error)
