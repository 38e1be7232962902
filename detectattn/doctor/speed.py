"""How fast the devices are: measured, since no name of a processor tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detectattn.doctor.ask import Answer, ask_peak
from detectattn.doctor.report import Check
from detectattn.figures import format_figure
from detectattn.machine import count_usable_cores, read_cache_bytes, read_memory_bytes
from detectattn.results.roofline import Roof, make_roof

_PRECISION = "fp32"
_BUSY = "Stop other work and measure again"


def measure_devices(devices: Sequence[str]) -> dict[str, Answer]:
    """Measure devices one after another, each for about a second and the time that importing PyTorch takes.

    Args:
        devices: As ``--device`` takes them.
    """
    threads, cache_bytes, memory_bytes = count_usable_cores(), read_cache_bytes(), read_memory_bytes()
    return {device: ask_peak(device, threads, cache_bytes, memory_bytes) for device in devices}


def check_speed(answers: Mapping[str, Answer], threads: int) -> list[Check]:
    """What each device reaches at best in computing and in moving memory.

    Args:
        answers: Of :func:`measure_devices`.
        threads: That the processor computed with.
    """
    return [_check(device, answer, threads if device == "cpu" else None) for device, answer in answers.items()]


def _check(device: str, answer: Answer, threads: int | None) -> Check:
    name = device.upper() if device in ("cpu", "mps") else device.upper().replace(":", " ")
    if answer.facts is None:
        return Check(name, "warn", f"could not be measured ({answer.problem})")
    roof = make_roof(device, _PRECISION, threads, **answer.facts)
    rates = f"{format_figure(roof.gflop_s)} GFLOP/s in {_PRECISION}{_say_threads(roof)}"
    detail = f"{rates}, {format_figure(roof.gbyte_s)} GB/s of memory"
    if roof.trusted:
        return Check(name, "ok", detail)
    spread = max(roof.gflop_s_spread, roof.gbyte_s_spread)
    return Check(name, "warn", f"{detail}; timings differ by {spread:.0%}, so the machine was busy", _BUSY)


def _say_threads(roof: Roof) -> str:
    return "" if roof.threads is None else f" on {roof.threads} thread{'s' if roof.threads != 1 else ''}"
