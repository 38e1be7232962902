"""Where a run's time goes: how busy each stage is, and a trace of every slice of work."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Stage = Literal["decode", "preprocess", "infer", "postprocess", "write"]
STAGES: tuple[Stage, ...] = ("decode", "preprocess", "infer", "postprocess", "write")


class Trace(Protocol):
    """Takes slices of work, from any thread."""

    def write(self, thread: str, stage: Stage, start_s: float, end_s: float, label: str) -> None:
        """One slice, on the clock of ``time.perf_counter``."""
        ...


@dataclass(frozen=True, slots=True)
class Busy:
    """How busy a run's threads were, as shares of its time.

    Attributes:
        stages: Share of the time that a stage took of the threads that do it, 0 to 1. Threads that wait for a processor
            count as busy.
        slowest: The stage that takes most of the threads that were busiest: all others wait for it.
        share: How busy those threads were, 0 to 1.
    """

    stages: Mapping[Stage, float] = field(default_factory=dict)
    slowest: Stage | None = None
    share: float = 0.0


class StageClock:
    """Adds up what every thread spends on every stage.

    Args:
        trace: Told of every slice, too.
    """

    def __init__(self, trace: Trace | None = None) -> None:
        self._trace = trace
        self._lock = threading.Lock()
        self._spent_s: defaultdict[str, dict[Stage, float]] = defaultdict(dict)

    def add(self, stage: Stage, start_s: float, end_s: float, label: str) -> None:
        """Work of the calling thread, from and until when by ``time.perf_counter``; ``label`` says on what."""
        thread = threading.current_thread().name
        with self._lock:
            spent_s = self._spent_s[thread]
            spent_s[stage] = spent_s.get(stage, 0.0) + end_s - start_s
        if self._trace is not None:
            self._trace.write(thread, stage, start_s, end_s, label)

    def end(self, stage: Stage, start_s: float, label: str) -> float:
        """Work that ends now; the time, for what begins."""
        now = time.perf_counter()
        self.add(stage, start_s, now, label)
        return now

    def compute_busy(self, wall_s: float) -> Busy:
        """How busy the threads were over ``wall_s`` seconds."""
        with self._lock:
            spent_s = {thread: dict(stages) for thread, stages in self._spent_s.items()}
        if not spent_s or wall_s <= 0:
            return Busy()
        groups = [_average(threads, wall_s) for threads in _group(spent_s)]
        stages: dict[Stage, float] = {
            stage: max(group.get(stage, 0.0) for group in groups)
            for stage in STAGES
            if any(stage in group for group in groups)
        }
        busiest = max(groups, key=lambda group: sum(group.values()))
        slowest, _ = max(busiest.items(), key=lambda item: item[1])
        return Busy(stages, slowest, min(sum(busiest.values()), 1.0))


def _group(spent_s: Mapping[str, dict[Stage, float]]) -> list[list[dict[Stage, float]]]:
    """Threads that do the same: ``read-0`` and ``read-1``."""
    groups: defaultdict[str, list[dict[Stage, float]]] = defaultdict(list)
    for thread, stages in spent_s.items():
        groups[thread.rstrip("0123456789")].append(stages)
    return list(groups.values())


def _average(threads: list[dict[Stage, float]], wall_s: float) -> dict[Stage, float]:
    """Shares of the time that threads that do the same spend on each stage."""
    done = [stage for stage in STAGES if any(stage in thread for thread in threads)]
    return {stage: sum(thread.get(stage, 0.0) for thread in threads) / (wall_s * len(threads)) for stage in done}
