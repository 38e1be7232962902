"""The machine itself, and the devices that models can run on."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from detectattn.doctor.ask import Answer
from detectattn.doctor.report import Check
from detectattn.fetch import format_bytes

PYTHON_FLOOR = (3, 11)
# RT-DETR-L at 640 needs about this much beside the system.
MEMORY_TIGHT_BYTES = 4 * 2**30

_CUDA_BUILDS = "Install a CUDA build of PyTorch: https://pytorch.org/get-started/locally/"


def check_machine(machine: Mapping[str, Any], versions: Mapping[str, str]) -> list[Check]:
    """Python, system, processor, memory; ``machine`` and ``versions`` as :mod:`detectattn.machine` collects them."""
    return [
        _check_python(versions["python"]),
        Check("System", "ok", f"{machine['os']} on {machine['arch']}"),
        _check_processor(machine),
        _check_memory(machine["memory_bytes"]),
    ]


def _check_python(version: str) -> Check:
    if tuple(int(part) for part in version.split(".")[:2]) >= PYTHON_FLOOR:
        return Check("Python", "ok", f"{version} at {sys.prefix}")
    return Check("Python", "fail", f"{version} is too old", "Install Python 3.11 or newer")


def _check_processor(machine: Mapping[str, Any]) -> Check:
    logical, usable = machine["logical_cores"], machine["usable_cores"]
    cores = f"{usable} of {logical} cores usable" if usable != logical else f"{logical} cores"
    features = machine["cpu_features"]
    detail = f"{machine['cpu'] or 'unknown'}, {cores}" + (f": {', '.join(features)}" if features else "")
    if features and machine["arch"] in ("x86_64", "AMD64") and "AVX2" not in features:
        return Check("Processor", "warn", detail, "Without AVX2 every engine is several times slower")
    return Check("Processor", "ok", detail)


def _check_memory(memory_bytes: int | None) -> Check:
    if memory_bytes is None:
        return Check("Memory", "ok", "unknown")
    detail = format_bytes(memory_bytes)
    if memory_bytes < MEMORY_TIGHT_BYTES:
        return Check("Memory", "warn", detail, "Take a small model, such as yolo11n")
    return Check("Memory", "ok", detail)


def check_devices(answers: Mapping[str, Answer], *, is_mac: bool) -> list[Check]:
    """Where models can run."""
    checks = [Check("CPU", "ok", "every engine"), *_check_cuda(answers["torch"], answers["nvidia"])]
    if is_mac:
        checks.append(_check_mps(answers["torch"]))
    others = {name: full for name, full in answers["openvino"].get("devices", {}).items() if name != "CPU"}
    checks.extend(Check(f"OpenVINO {name}", "ok", full) for name, full in others.items())
    return checks


def _check_cuda(torch: Answer, nvidia: Answer) -> list[Check]:
    gpus = torch.get("gpus", [])
    if gpus:
        driver = f", driver {nvidia.get('driver')}" if nvidia else ""
        return [
            Check(f"CUDA {index}", "ok", f"{gpu['name']}, {format_bytes(gpu['memory_bytes'])}{driver}")
            for index, gpu in enumerate(gpus)
        ]
    if not nvidia:
        return [Check("CUDA", "absent", "no NVIDIA GPU")]
    seen = f"{', '.join(nvidia.get('names', []))} (driver {nvidia.get('driver')})"
    if torch and torch.get("built_for") is None:
        return [Check("CUDA", "warn", f"{seen} is there, but this PyTorch is built for CPUs", _CUDA_BUILDS)]
    hint = "Its CUDA version may be newer than the driver: update the driver, or install a PyTorch for an older CUDA"
    return [Check("CUDA", "warn", f"{seen} is there, but PyTorch cannot use it", hint)]


def _check_mps(torch: Answer) -> Check:
    if torch.get("mps"):
        return Check("MPS", "ok", "Apple GPU, for PyTorch")
    return Check("MPS", "absent", "this Mac or this PyTorch has none")


def list_devices(answers: Mapping[str, Answer]) -> tuple[str, ...]:
    """The devices by the names that ``--device`` takes."""
    cuda = tuple(f"cuda:{index}" for index in range(len(answers["torch"].get("gpus", []))))
    return ("cpu", *cuda, *(("mps",) if answers["torch"].get("mps") else ()))
