"""A limit to how long an inference may take: runtimes hang on some processors, and a run must not hang with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from detectattn.engines.detector import Detector
from detectattn.errors import EngineError
from detectattn.pipeline.channel import StopSignal

_SLOWER = 30
_TICKS = 60
_ENGINES = ("openvino", "onnx", "torch")


@dataclass(slots=True)
class _Call:
    ticks: int = 0


class Watchdog:
    """Stops a run whose engine does not answer.

    It counts its own ticks and does not read a clock, so that a run that is suspended and resumed is not taken for one
    that hangs. The first inference has ``limit_s``, which leaves time to compile; later ones have half of that, or
    thirty times the slowest so far where that is more.

    Args:
        detector: Whose engine is watched; it is marked as stalled.
        stop: Told of the error.
        limit_s: For the first inference.
    """

    def __init__(self, detector: Detector, stop: StopSignal, limit_s: float) -> None:
        self._detector = detector
        self._stop = stop
        self._limit_s = limit_s
        self._tick_s = limit_s / 2 / _TICKS
        self._slowest = 0
        self._answered = False
        self._lock = threading.Lock()
        self._running: dict[int, _Call] = {}
        self._ended = threading.Event()

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Around one inference."""
        call, key = _Call(), threading.get_ident()
        with self._lock:
            self._running[key] = call
        try:
            yield
        finally:
            with self._lock:
                del self._running[key]
                self._slowest = max(self._slowest, call.ticks)
                self._answered = True

    def run(self) -> None:
        """Look at what is running, until :meth:`end`; the work of a thread of its own."""
        while not self._ended.wait(self._tick_s) and not self._stop.is_set():
            with self._lock:
                for call in self._running.values():
                    call.ticks += 1
                longest = max((call.ticks for call in self._running.values()), default=0)
                limit = max(_TICKS, _SLOWER * self._slowest) if self._answered else 2 * _TICKS
            if longest > limit:
                self._detector.stalled = True
                self._stop.set(describe_stall(self._detector, longest * self._tick_s))

    def end(self) -> None:
        """There will be no more inferences."""
        self._ended.set()


def describe_stall(detector: Detector, waited_s: float) -> EngineError:
    """The error of an engine that does not answer."""
    info = detector.info
    others = " or ".join(f"--engine {name}" for name in _ENGINES if name != info.engine)
    return EngineError(
        f"{info.name} did not answer for {waited_s:.0f} s: its engine, {info.engine} on {info.device}, hangs",
        hint=f"Run it again with {others}, or with --batch 1 if the machine was short of memory",
    )
