"""Whether PyTorch would find a GPU here, asked without importing PyTorch."""

from __future__ import annotations

import ctypes
import platform
import sys

from detectattn.machine import find_version

_CUDA_LIBRARY = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


def find_accelerator() -> str | None:
    """``cuda`` or ``mps`` where PyTorch would run on that by itself; None where it would run on the processor."""
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else None
    version = find_version("torch")
    # Wheels name what they are built for after a plus; without one they are built for CUDA.
    if version is None or version.endswith("+cpu"):
        return None
    return "cuda" if _count_cuda_devices() else None


def _count_cuda_devices() -> int:
    """Devices that NVIDIA's driver reports; 0 where there is no driver."""
    name = _CUDA_LIBRARY.get(sys.platform)
    if name is None:
        return 0
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
