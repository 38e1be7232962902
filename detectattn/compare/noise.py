"""Whether the machine was quiet enough for its timings to be trusted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from detectattn.machine import count_usable_cores

# A model that takes a tenth longer in one round than in another was disturbed: the pictures are the same.
MAX_SPREAD = 0.10
# Work of others that keeps half a core busy moves timings of models that use all.
MAX_OTHER_LOAD = 0.5
MAX_CLOCK_CHANGE = 0.15


@dataclass(frozen=True, slots=True)
class MachineState:
    """How busy and how fast the machine is at one moment.

    Attributes:
        load: Processes that run or wait for a core, over the last minute; None where the system does not tell.
        clock_mhz: Mean clock of the cores; None where the system does not tell.
    """

    load: float | None
    clock_mhz: float | None


@dataclass(frozen=True, slots=True)
class NoiseReport:
    """How steady the rounds were.

    Attributes:
        spread: Highest median of a round over the lowest, less one.
        trusted: Whether the figures can be relied on.
        reasons: Why not, as sentences without a full stop.
    """

    spread: float
    trusted: bool
    reasons: tuple[str, ...]


def read_machine_state() -> MachineState:
    """Load and clock now."""
    try:
        load: float | None = os.getloadavg()[0]
    except (AttributeError, OSError):
        load = None
    return MachineState(load, _read_clock_mhz(Path("/proc/cpuinfo")))


def _read_clock_mhz(cpuinfo: Path) -> float | None:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return None
    clocks = [float(line.partition(":")[2]) for line in lines if line.startswith("cpu MHz")]
    return sum(clocks) / len(clocks) if clocks else None


def judge_noise(
    rounds_ms: Sequence[Sequence[float]],
    before: MachineState,
    after: MachineState,
    cores: int | None = None,
) -> NoiseReport:
    """Judge the rounds of one model.

    Args:
        rounds_ms: The times of each round; every round timed the same pictures.
        before: The machine before the study, when nothing of it ran yet.
        after: The machine after it.
        cores: Cores of the machine, or None to count them.
    """
    medians = [median(times) for times in rounds_ms if times]
    spread = max(medians) / min(medians) - 1 if medians else 0.0
    cores = cores or count_usable_cores()
    reasons = []
    if spread > MAX_SPREAD:
        reasons.append(f"its rounds differ by {spread:.0%}, and {MAX_SPREAD:.0%} is the most that can be trusted")
    if before.load is not None and before.load > MAX_OTHER_LOAD:
        reasons.append(f"other work was running before it began (load {before.load:.1f} on {cores} cores)")
    if before.clock_mhz and after.clock_mhz:
        change = abs(after.clock_mhz / before.clock_mhz - 1)
        if change > MAX_CLOCK_CHANGE:
            reasons.append(f"the processor's clock changed by {change:.0%} meanwhile")
    return NoiseReport(spread, not reasons, tuple(reasons))
