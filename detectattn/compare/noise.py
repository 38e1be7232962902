"""Whether the machine was quiet enough for its timings to be trusted."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# A model that takes a tenth longer in one round than in another was disturbed: the pictures are the same.
MAX_SPREAD = 0.10
# Work of others that keeps half a core busy moves timings of models that use all.
MAX_BUSY_CORES = 0.5
MAX_CLOCK_CHANGE = 0.15


@dataclass(frozen=True, slots=True)
class MachineState:
    """How busy and how fast the machine is at one moment.

    Attributes:
        busy_cores: How many cores are at work for others while the study itself waits, 0 to all of them; where the
            system tells only the load of the last minute, that. None where it tells nothing.
        clock_mhz: Mean clock of the cores; None where the system does not tell.
    """

    busy_cores: float | None
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


def read_machine_state(window_s: float = 0.5) -> MachineState:
    """How busy and how fast the machine is; to be asked while the study itself does nothing.

    Args:
        window_s: How long to look.
    """
    return MachineState(_measure_busy_cores(window_s), _read_clock_mhz(Path("/proc/cpuinfo")))


def _measure_busy_cores(window_s: float) -> float | None:
    start_s, before = time.monotonic(), _read_work_s(Path("/proc/stat"))
    if before is not None:
        time.sleep(window_s)
        after = _read_work_s(Path("/proc/stat"))
        if after is not None:
            return max(0.0, after - before) / (time.monotonic() - start_s)
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def _read_work_s(stat: Path) -> float | None:
    """Seconds that all cores have been at work since the machine was started, time stolen by its host included."""
    try:
        fields = stat.read_text().split("\n", 1)[0].split()
    except OSError:
        return None
    if len(fields) < 9 or fields[0] != "cpu":
        return None
    # user, nice, system, then idle and waiting for disks, then interrupts and stolen time.
    ticks = [int(fields[i]) for i in (1, 2, 3, 6, 7, 8)]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def _read_clock_mhz(cpuinfo: Path) -> float | None:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return None
    clocks = [float(line.partition(":")[2]) for line in lines if line.startswith("cpu MHz")]
    return sum(clocks) / len(clocks) if clocks else None


def judge_noise(rounds_ms: Sequence[Sequence[float]], before: MachineState, after: MachineState) -> NoiseReport:
    """Judge the rounds of one model.

    Args:
        rounds_ms: The times of each round; every round timed the same pictures.
        before: The machine just before the rounds, while nothing of the study ran.
        after: The machine just after them, likewise.
    """
    medians = [median(times) for times in rounds_ms if times]
    spread = max(medians) / min(medians) - 1 if medians else 0.0
    reasons = []
    if spread > MAX_SPREAD:
        shown = f"{spread:.0%}" if round(spread, 2) > MAX_SPREAD else f"{math.ceil(1000 * spread) / 10:.1f}%"
        reasons.append(f"rounds differ by {shown}, and {MAX_SPREAD:.0%} is the most that can be trusted")
    busy = max(before.busy_cores or 0.0, after.busy_cores or 0.0)
    if busy > MAX_BUSY_CORES:
        reasons.append(f"other work kept {busy:.1f} processor cores busy")
    if before.clock_mhz and after.clock_mhz:
        change = abs(after.clock_mhz / before.clock_mhz - 1)
        if change > MAX_CLOCK_CHANGE:
            reasons.append(f"the processor's clock changed by {change:.0%} meanwhile")
    return NoiseReport(spread, not reasons, tuple(reasons))
