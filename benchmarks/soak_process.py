"""What a process holds while it runs (Linux), and how straight the line is that its memory follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psutil  # type: ignore[import-untyped]
from scipy import stats  # type: ignore[import-untyped]

_PIECES = 12
_LEAST_PIECES = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at one moment.

    Attributes:
        at_s: Since the first sample.
        rss_mb: Memory it holds, in 10^6 bytes.
        anonymous_mb: Of it, what is no file's.
        threads: How many.
        descriptors: Open files, sockets and pipes.
        children: Processes that it started and that still run.
    """

    at_s: float
    rss_mb: float
    anonymous_mb: float
    threads: int
    descriptors: int
    children: int


@dataclass(frozen=True, slots=True)
class Slope:
    """How fast something grows.

    Attributes:
        per_hour: By a straight line.
        low: Lower end of the 95% interval.
        high: Upper end.
    """

    per_hour: float
    low: float
    high: float


def take_sample(pid: int, at_s: float) -> Sample | None:
    """The process now; None where it is no more."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            memory = process.memory_info()
            threads, descriptors = process.num_threads(), process.num_fds()
        children = len(process.children())
    except psutil.NoSuchProcess:
        return None
    return Sample(at_s, memory.rss / 1e6, (memory.rss - memory.shared) / 1e6, threads, descriptors, children)


def fit_slope(times_s: Sequence[float], values: Sequence[float]) -> Slope | None:
    """Slope of a straight line by least squares; None of too few values.

    Neighbouring values are alike, which would make an interval from all of them far too narrow. So the line goes
    through the means of twelve equal pieces of time, and the interval is Student's for these (batch means: Law,
    Simulation Modeling and Analysis, 9.5.3).
    """
    pieces = [
        (float(np.mean(t)), float(np.mean(v)))
        for t, v in zip(np.array_split(times_s, _PIECES), np.array_split(values, _PIECES), strict=True)
        if len(t)
    ]
    if len(pieces) < _LEAST_PIECES:
        return None
    line = stats.linregress(*zip(*pieces, strict=True))
    reach = float(stats.t.ppf(0.975, len(pieces) - 2)) * float(line.stderr)
    per_hour, reach_h = float(line.slope) * 3600, reach * 3600
    return Slope(per_hour, per_hour - reach_h, per_hour + reach_h) if math.isfinite(per_hour) else None
