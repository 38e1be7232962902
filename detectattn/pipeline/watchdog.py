"""A limit to how long an inference may take: runtimes hang on some processors, and a run must not hang with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from detectattn.engines.detector import Detector
from detectattn.errors import EngineError
from detectattn.pipeline.channel import Stopped, StopSignal

T = TypeVar("T")

_SLOWER = 30
_TICKS = 60
_ENGINES = ("openvino", "onnx", "torch")


class NotBegun(Exception):
    """The engine was given up before the call began: make it to the one that is there now."""


class GivenUp(Exception):
    """The engine was given up during the call: its answer is discarded, and what it was for is done elsewhere."""


@dataclass(slots=True)
class Call:
    """One call to an engine.

    Attributes:
        alone: Whether no other was under way at any time of it.
        ticks: How long it has taken.
    """

    alone: bool = True
    ticks: int = 0


@dataclass(frozen=True, slots=True)
class Stall(Generic[T]):
    """An engine that was given up.

    Attributes:
        error: Says so.
        callers: Who had called it and got no answer; if one comes still, it is discarded.
    """

    error: EngineError
    callers: tuple[T, ...]


class WatchedEngine(Generic[T]):
    """An engine whose calls are limited in number and in time.

    It counts its own ticks and does not read a clock, so that a run that is suspended and resumed is not taken for one
    that hangs. The first inference has ``limit_s``, which leaves time to compile; later ones have half of that, or
    thirty times the slowest so far where that is more.

    Args:
        detector: Whose engine is watched; it is marked as stalled.
        stop: Ends every wait, by :class:`Stopped`.
        limit_s: For the first inference.
    """

    def __init__(self, detector: Detector, stop: StopSignal, limit_s: float) -> None:
        self.detector = detector
        self.limit_s = limit_s
        self._stop = stop
        self._tick_s = limit_s / 2 / _TICKS
        self._most_calls = detector.engine.spec.streams
        self._slowest = 0
        self._answered = False
        self._is_given_up = False
        self._running: dict[T, Call] = {}
        self._changed = threading.Condition()
        stop.watch(self)

    @contextmanager
    def call(self, caller: T, call: Call) -> Iterator[None]:
        """Around one inference for ``caller``, once there is room for it; ``call`` tells about it afterwards.

        Raises:
            NotBegun, GivenUp: The engine hangs, before the inference or during it.
            Stopped: The run is stopping.
        """
        self._begin(caller, call)
        try:
            yield
        finally:
            with self._changed:
                del self._running[caller]
                self._slowest = max(self._slowest, call.ticks)
                self._answered = True
                self._changed.notify_all()
                is_wanted = not self._is_given_up
            if not is_wanted:
                raise GivenUp

    def run_alone(self) -> None:
        """From now on let calls wait for each other."""
        with self._changed:
            self._most_calls = 1

    def watch(self, ended: threading.Event) -> Stall[T] | None:
        """Look at what is running until ``ended`` is set; gives the engine up if it does not answer."""
        while not ended.wait(self._tick_s) and not self._stop.is_set():
            with self._changed:
                for call in self._running.values():
                    call.ticks += 1
                longest = max((call.ticks for call in self._running.values()), default=0)
                limit = max(_TICKS, _SLOWER * self._slowest) if self._answered else 2 * _TICKS
                if longest > limit:
                    self._is_given_up = self.detector.stalled = True
                    self._changed.notify_all()
                    return Stall(describe_stall(self.detector, longest * self._tick_s), tuple(self._running))
        return None

    def wake(self) -> None:
        """Let waiters look at the stop signal again."""
        with self._changed:
            self._changed.notify_all()

    def _begin(self, caller: T, call: Call) -> None:
        with self._changed:
            while len(self._running) >= self._most_calls and not self._is_given_up and not self._stop.is_set():
                self._changed.wait()
            if self._stop.is_set():
                raise Stopped
            if self._is_given_up:
                raise NotBegun
            self._running[caller] = call
            if len(self._running) > 1:
                for running in self._running.values():
                    running.alone = False


def describe_stall(detector: Detector, waited_s: float) -> EngineError:
    """The error of an engine that does not answer."""
    info = detector.info
    others = " or ".join(f"--engine {name}" for name in _ENGINES if name != info.engine)
    return EngineError(
        f"{info.name} did not answer for {waited_s:.0f} s: its engine, {info.engine} on {info.device}, hangs",
        hint=f"Run it again with {others}, or with --batch 1 if the machine was short of memory",
    )
