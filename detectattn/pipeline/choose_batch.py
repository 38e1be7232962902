"""Choose how many pictures go through together, by trying."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectattn.engines.detector import Detector
from detectattn.errors import OutOfMemory
from detectattn.machine import read_memory_bytes
from detectattn.pipeline.in_time import infer_in_time
from detectattn.pipeline.reading import OpenFrames, next_frame
from detectattn.types import F32, Frame, FrameFailure, Media

_LARGEST = 64
_GOOD_ENOUGH = 1.03
_WORSE = 1.15
_BUDGET_S = 20.0
_TRIALS = 3
_MOST_MEMORY = 0.25


@dataclass(frozen=True, slots=True)
class BatchTrial:
    """What a picture takes in batches of one size.

    Attributes:
        batch: Pictures that went through together.
        ms: Milliseconds a picture, with as many batches side by side as the engine runs; median.
    """

    batch: int
    ms: float


@dataclass(frozen=True, slots=True)
class BatchChoice:
    """The batch size that a run takes, and why.

    Attributes:
        batch: The smallest whose time is within 3 % of the best.
        net_hw: Height and width of the input that was tried.
        trials: Every size that was tried, in order.
        reason: Why no larger one was tried, in words.
    """

    batch: int
    net_hw: tuple[int, int]
    trials: tuple[BatchTrial, ...]
    reason: str

    def describe(self) -> str:
        """One line for a person."""
        if not self.trials:
            return f"batch {self.batch}: {self.reason}"
        times = ", ".join(f"{trial.batch}: {trial.ms:.3g} ms" for trial in self.trials)
        size = f"{self.net_hw[0]}×{self.net_hw[1]}"
        return f"batch {self.batch}, by what an image took at {size} ({times}); {self.reason}"


def choose_batch(detector: Detector, planes: F32 | None = None, budget_s: float = _BUDGET_S) -> BatchChoice:
    """Time batches of 1, 2, 4, … and choose the smallest that is about as fast as the best.

    Args:
        detector: The model, warm or not; its ``batch`` is left as it is.
        planes: f32[3, h, w], a picture as the network takes it; None for grey of the full input.
        budget_s: No size is begun after so many seconds.

    Raises:
        OutOfMemory: Not even a single picture fits.
    """
    spec = detector.engine.spec
    if planes is None:
        planes = np.full((3, *spec.net_hw), 0.5, np.float32)
    net_hw = (planes.shape[1], planes.shape[2])
    if spec.fixed_batch is not None:
        return BatchChoice(spec.fixed_batch, net_hw, (), "the model was exported for that many")
    trials: list[BatchTrial] = []
    reason = ""
    ends_s = time.perf_counter() + budget_s
    for batch in _sizes():
        if reason := _find_reason_to_stop(trials, batch, time.perf_counter() > ends_s):
            break
        try:
            trials.append(_try(detector, planes, batch))
        except OutOfMemory:
            if not trials:
                raise
            reason = f"{batch} take more memory than {spec.device} has"
            break
    best_ms = min(trial.ms for trial in trials)
    batch = next(trial.batch for trial in trials if trial.ms <= best_ms * _GOOD_ENOUGH)
    return BatchChoice(batch, net_hw, tuple(trials), reason or f"more than {_LARGEST} are not tried")


def fit_first(detector: Detector, first: Media | FrameFailure, open_frames: OpenFrames) -> F32 | None:
    """The first frame of a medium as the network takes it, f32[3, h, w]; None where it can be read only once, or not.

    Only a file is opened: a camera, a URL or standard input would not be there again for the run.
    """
    if isinstance(first, FrameFailure) or not isinstance(first.location, Path):
        return None
    frames = open_frames(first)
    frame = next_frame(first, frames, None)
    close = getattr(frames, "close", None)
    if close:
        close()
    return detector.fit(frame.shown)[0] if isinstance(frame, Frame) else None


def _sizes() -> Iterator[int]:
    size = 1
    while size <= _LARGEST:
        yield size
        size *= 2


def _find_reason_to_stop(trials: list[BatchTrial], batch: int, is_late: bool) -> str:
    """Why ``batch`` is not tried after what was; empty where it is."""
    if not trials:
        return ""
    best_ms = min(trial.ms for trial in trials)
    if len(trials) > 1 and all(trial.ms > best_ms for trial in trials[-2:]):
        return "larger ones took longer"
    if trials[-1].ms > best_ms * _WORSE:
        return "larger ones took longer"
    memory = read_memory_bytes()
    # Twice the batch takes at most twice the memory; what the process held at its peak bounds what that adds.
    if memory is not None and 2 * _read_peak_bytes() > _MOST_MEMORY * memory:
        return f"{batch} might take more than a quarter of the memory"
    return f"trying {batch} would take too long" if is_late else ""


def _try(detector: Detector, planes: F32, batch: int) -> BatchTrial:
    streams = detector.engine.spec.streams
    tensor = np.repeat(planes[None], batch, axis=0)
    _infer_side_by_side(detector, tensor, streams)  # compiles, allocates, warms up
    times_s = [_infer_side_by_side(detector, tensor, streams) for _ in range(_TRIALS)]
    return BatchTrial(batch, statistics.median(times_s) * 1e3 / (batch * streams))


def _infer_side_by_side(detector: Detector, tensor: F32, streams: int) -> float:
    """Seconds until ``streams`` inferences of ``tensor`` at once are done."""
    start = time.perf_counter()
    infer_in_time(detector, tensor, streams)
    return time.perf_counter() - start


def _read_peak_bytes() -> int:
    """Most memory that this process held at once; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
