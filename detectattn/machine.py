"""What this machine is, and which versions are installed: read from files and metadata, nothing heavy is imported."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from detectattn import __version__

# One library, several distributions that carry it: the first that is installed counts, under the first one's name.
DISTRIBUTIONS: tuple[tuple[str, ...], ...] = (
    ("ultralytics",),
    ("torch",),
    ("openvino",),
    ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml"),
    ("tensorrt", "tensorrt-cu13", "tensorrt-cu12"),
    ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    ("numpy",),
    ("pillow",),
    ("av",),
)

# What fast kernels ask for, by the name of its flag in /proc/cpuinfo and in sysctl's lists.
_FEATURE_OF_FLAG = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_tile": "AMX",
    "asimd": "NEON",
    "asimddp": "dot product",
    "i8mm": "int8 matrix",
    "bf16": "BF16",
    "sve": "SVE",
}

# Below it Ultralytics' safe load silently becomes the unsafe one.
TORCH_FLOOR = "2.6"
# The first that loads checkpoints by an allow-list (8.4.67 does) where torchvision cannot be imported.
ULTRALYTICS_FLOOR = "8.4.125"


def collect_machine() -> dict[str, Any]:
    """What a run's figures depend on.

    Returns:
        ``cpu`` (model), ``cpu_features`` (list), ``logical_cores`` (of the machine), ``usable_cores`` (that this
        process may use), ``memory_bytes``, ``os``, ``arch``. What cannot be known is None.
    """
    cpuinfo = _read_cpuinfo()
    return {
        "cpu": _read_cpu_model(cpuinfo),
        "cpu_features": parse_cpu_features(cpuinfo),
        "logical_cores": os.cpu_count(),
        "usable_cores": count_usable_cores(),
        "memory_bytes": read_memory_bytes(),
        "os": f"{platform.system()} {platform.release()}",
        "arch": platform.machine(),
    }


def collect_versions() -> dict[str, str]:
    """Versions of Python, of this project and of what it runs on; packages that are not installed are left out."""
    versions = {"python": platform.python_version(), "detectattn": __version__}
    for names in DISTRIBUTIONS:
        found = find_version(*names)
        if found is not None:
            versions[names[0]] = found
    return versions


def find_version(*names: str) -> str | None:
    """The installed version of the first of several distributions that is there, from its metadata."""
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def count_usable_cores() -> int:
    """Logical cores that this process may run on: fewer than the machine has under ``taskset`` or in a job."""
    affinity_of = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    return len(affinity_of(0)) if affinity_of else os.cpu_count() or 1


def is_older(version: str, floor: str) -> bool:
    """Whether a version lies below a floor, by as many numbers as the floor has: ``2.6.0+cpu`` is not below ``2.6``."""
    parts = [int(part) for part in re.findall(r"\d+", version.partition("+")[0])]
    wanted = [int(part) for part in floor.split(".")]
    return parts[: len(wanted)] < wanted


def parse_cpu_model(cpuinfo: str) -> str | None:
    """The processor's name in the text of ``/proc/cpuinfo``; None where it has none (many ARM boards)."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "Hardware") and value.strip():
            return " ".join(value.split())
    return None


def parse_cpu_features(cpuinfo: str) -> list[str]:
    """What fast kernels can use of this processor, from the text of ``/proc/cpuinfo``: ``["AVX2", "AVX-512", …]``."""
    flags: set[str] = set()
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            flags.update(value.split())
    return [name for flag, name in _FEATURE_OF_FLAG.items() if flag in flags]


def read_memory_bytes() -> int | None:
    """Physical memory, or what a container may use of it where that is less."""
    physical = _read_physical_memory_bytes()
    limit = _read_container_limit_bytes()
    return physical if limit is None or physical is None else min(physical, limit)


def read_cache_bytes(folder: Path = Path("/sys/devices/system/cpu")) -> int | None:
    """Last-level caches of all processors together, each counted once; None where the system does not tell.

    Args:
        folder: Where Linux tells of them.
    """
    found: dict[tuple[int, str], int] = {}
    for cache in folder.glob("cpu[0-9]*/cache/index[0-9]*"):
        try:
            level, size, cores = (
                (cache / name).read_text(encoding="ascii").strip() for name in ("level", "size", "shared_cpu_list")
            )
        except OSError:
            continue
        if size.endswith("K") and size[:-1].isdigit() and level.isdigit():
            found[int(level), cores] = int(size[:-1]) * 1024
    last = max((level for level, _ in found), default=0)
    return sum(size for (level, _), size in found.items() if level == last) or None


def _read_cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _read_cpu_model(cpuinfo: str) -> str | None:
    if platform.system() == "Darwin":
        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        return asked.stdout.strip() or platform.processor() or None
    return parse_cpu_model(cpuinfo) or platform.processor() or None


def _read_physical_memory_bytes() -> int | None:
    if platform.system() == "Windows":
        return _read_windows_memory_bytes()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _read_container_limit_bytes() -> int | None:
    try:
        written = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(written) if written.isdigit() else None


def _read_windows_memory_bytes() -> int | None:
    kilobytes = ctypes.c_ulonglong()
    found = ctypes.CDLL("kernel32").GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return kilobytes.value * 1024 if found else None
