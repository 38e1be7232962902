"""Read the energy that a machine has used, where its own meters can be read.

On the processor that is RAPL (``/sys/class/powercap``, the counters of whole packages), on an NVIDIA card NVML. Both
count everything that the chip draws, idle draw included. Most virtual machines have neither, and many systems keep RAPL
to the administrator: there is no figure then, and nobody is asked for privileges.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

POWERCAP = Path("/sys/class/powercap")

MeterName = Literal["rapl", "nvml"]
Reading = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """A count of energy that only rises, or starts again from 0 when it is full.

    Attributes:
        read: The count now; raises OSError or ValueError where it cannot be read.
        unit_j: Joules of one count.
        full: Count at which it starts again; None where that never happens.
    """

    read: Callable[[], int]
    unit_j: float
    full: int | None


@dataclass(frozen=True, slots=True)
class EnergyMeter:
    """The counters of a device.

    Attributes:
        name: ``rapl`` or ``nvml``.
        counters: Each of a different chip.
    """

    name: MeterName
    counters: tuple[Counter, ...]

    def read(self) -> Reading | None:
        """What the counters say now; None where one cannot be read, or no longer."""
        try:
            return tuple(counter.read() for counter in self.counters)
        except (OSError, ValueError):
            return None

    def compute_joules(self, before: Reading | None, after: Reading | None) -> float | None:
        """Energy between two readings, which may lie one restart of a counter apart; None where it is not known."""
        if before is None or after is None:
            return None
        joules = 0.0
        for counter, first, last in zip(self.counters, before, after, strict=True):
            if last < first and counter.full is None:
                return None
            joules += (last - first + (counter.full or 0) * (last < first)) * counter.unit_j
        return joules


def open_meter(device: str, powercap: Path = POWERCAP) -> EnergyMeter | None:
    """The meter of a device, or None where there is none that can be read.

    Args:
        device: As engines name it: ``cpu``, ``cuda:0``, …. Others have no meter here.
        powercap: Where the system shows RAPL's counters.
    """
    if device == "cpu":
        return _keep_working(_open_rapl(powercap))
    return _keep_working(_open_nvml(device)) if device.startswith("cuda") else None


def _keep_working(meter: EnergyMeter | None) -> EnergyMeter | None:
    return meter if meter is not None and meter.read() is not None else None


def _open_rapl(powercap: Path) -> EnergyMeter | None:
    """The packages alone: cores, memory controller and graphics inside them count in the package already."""
    zones = sorted(powercap.glob("intel-rapl:*"))
    counters = tuple(_open_package(zone) for zone in zones if _read_text(zone / "name").startswith("package"))
    return EnergyMeter("rapl", counters) if counters else None


def _open_package(zone: Path) -> Counter:
    full = _read_text(zone / "max_energy_range_uj")
    return Counter(
        lambda: int((zone / "energy_uj").read_text()), unit_j=1e-6, full=int(full) if full.isdecimal() else None
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _open_nvml(device: str) -> EnergyMeter | None:
    if find_spec("pynvml") is None:
        return None
    nvml = import_module("pynvml")
    try:
        nvml.nvmlInit()
        handle = _find_card(nvml, device)
    except nvml.NVMLError:
        return None
    if handle is None:
        return None

    def read() -> int:
        try:
            return int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        except nvml.NVMLError as error:
            raise OSError(str(error)) from error

    return EnergyMeter("nvml", (Counter(read, unit_j=1e-3, full=None),))


def _find_card(nvml: Any, device: str) -> Any | None:
    """NVML's handle of a CUDA device; None where it cannot be told which card that is.

    CUDA and NVML number cards differently, and ``CUDA_VISIBLE_DEVICES`` renumbers them: only PyTorch, where it runs the
    model, knows the card's own identifier. A single card needs none.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        uuid = getattr(torch.cuda.get_device_properties(device), "uuid", None)
        if uuid is not None:
            return nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    return nvml.nvmlDeviceGetHandleByIndex(0) if nvml.nvmlDeviceGetCount() == 1 else None
