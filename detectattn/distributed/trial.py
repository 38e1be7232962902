"""How many cores a replica takes, by trying: one large replica on a machine, or several small ones side by side.

A replica on all cores waits for its one process to decode, to hand over and to write; several small ones share these,
but hold the model several times. Each size is timed alone, on as many cores as it would have, and counted as often as
it fits on the machine. Of sizes that are about as fast the largest is taken.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from detectattn.distributed.model_files import place_model
from detectattn.distributed.settings import ModelSetup
from detectattn.engines import open_detector
from detectattn.engines.postprocess import Thresholds
from detectattn.pipeline.channel import StopSignal
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally
from detectattn.sources import iter_frames
from detectattn.types import Frame, Media, Prediction

if TYPE_CHECKING:
    from detectattn.distributed.scout import ScoutRequest

_SIZES = 3
_TRIAL_S = 4.0
_ABOUT_AS_FAST = 0.95
_WORTH_A_TRIAL = 2_000


@dataclass(frozen=True, slots=True)
class ReplicaTrial:
    """What a replica of one size does.

    Attributes:
        cpus: Cores that it has.
        streams: Calls of the engine side by side.
        images_per_s: By itself.
    """

    cpus: int
    streams: int
    images_per_s: float


def list_sizes(node_cpus: int, inputs: int) -> tuple[int, ...]:
    """Cores a replica that are worth a trial: all of a machine, a half, a quarter; none where a run is short.

    Args:
        node_cpus: Cores of a machine.
        inputs: Of the run.
    """
    if inputs < _WORTH_A_TRIAL or node_cpus < 2 or not hasattr(os, "sched_setaffinity"):
        return ()
    return tuple(node_cpus >> halvings for halvings in range(_SIZES) if node_cpus >> halvings >= 1)


def choose_cpus(trials: Sequence[ReplicaTrial], node_cpus: int) -> int | None:
    """Cores a replica, the largest size with which a machine does about as much as with the best.

    Args:
        trials: What was timed.
        node_cpus: Cores of a machine.

    Returns:
        None where nothing was timed.
    """
    rates = {trial.cpus: trial.images_per_s * (node_cpus // trial.cpus) for trial in trials}
    enough = _ABOUT_AS_FAST * max(rates.values(), default=0.0)
    return max((cpus for cpus, rate in rates.items() if rate >= enough), default=None)


def time_replicas(request: ScoutRequest, setup: ModelSetup) -> tuple[ReplicaTrial, ...]:
    """Time a replica of each size that the request names, on its pictures, over and over for some seconds.

    Raises:
        EngineError: The model cannot be run.
    """
    pictures = [item for item in request.pictures if isinstance(item, Media) and item.kind != "video"]
    return tuple(_time(request, setup, pictures, cpus) for cpus in request.trial_cpus) if pictures else ()


def _time(request: ScoutRequest, setup: ModelSetup, pictures: Sequence[Media], cpus: int) -> ReplicaTrial:
    with _on_cores(cpus), tempfile.TemporaryDirectory(prefix="detectattn-") as temp_dir:
        options = replace(setup.options, threads=cpus, streams=None)
        weights = place_model(setup.package, request.store)
        detector = open_detector(weights, options, name=setup.name, engine=setup.engine)
        read = replace(request.read, temp_dir=Path(temp_dir))
        try:
            stop, tally = StopSignal(), RunTally()
            sink = _Warm(stop)
            run_pipeline(
                itertools.cycle(pictures),
                lambda media: iter_frames(media, read),
                detector,
                [],
                sink,
                RunOptions(Thresholds(0.25, 0.7, 300), read_workers=cpus, write_workers=1),
                tally,
                on_failure=lambda _: sink.tick(),
                stop=stop,
            )
            return ReplicaTrial(cpus, detector.engine.spec.streams, round(sink.rate, 3))
        finally:
            detector.close()


class _Warm:
    """Counts from the second picture on, and stops the run when it has counted long enough."""

    parallel: ClassVar[bool] = False

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop
        self._begun_s = time.perf_counter()
        self._first_s = self._last_s = 0.0
        self._count = 0

    @property
    def rate(self) -> float:
        return (self._count - 1) / (self._last_s - self._first_s) if self._count > 1 else 0.0

    def tick(self) -> None:
        """End in any case, also where no picture can be read."""
        if time.perf_counter() - self._begun_s > 4 * _TRIAL_S:
            self._stop.set()

    def write(self, frame: Frame, prediction: Prediction) -> None:
        self._last_s = time.perf_counter()
        self._first_s = self._first_s or self._last_s
        self._count += 1
        if self._last_s - self._first_s > _TRIAL_S and self._count > 2:
            self._stop.set()

    def recall(self, frame: Frame, prediction: Prediction) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


@contextmanager
def _on_cores(count: int) -> Iterator[None]:
    """Keep this thread, and those that it starts, to so many cores while the block goes on."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:count]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
