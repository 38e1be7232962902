"""Which GPU is here, asked of its driver: neither PyTorch nor a runtime is imported."""

from __future__ import annotations

import ctypes
import platform
import sys
from typing import Any

from detectattn.machine import find_version

_CUDA_LIBRARY = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
# The driver's numbers for the two parts of the compute capability.
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76
_LONGEST_NAME = 256


def find_accelerator() -> str | None:
    """``cuda`` or ``mps`` where PyTorch should run on that by itself; None where it would run on the processor.

    A driver that is too old for the installed PyTorch is not noticed here: PyTorch itself says so when it is loaded.
    """
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else None
    version = find_version("torch")
    # Wheels name what they are built for after a plus; without one they are built for CUDA.
    if version is None or version.endswith("+cpu"):
        return None
    return "cuda" if count_cuda_devices() else None


def count_cuda_devices() -> int:
    """Devices that NVIDIA's driver reports; 0 where there is no driver."""
    driver = _start_driver()
    count = ctypes.c_int(0)
    if driver is None or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def describe_cuda_device(index: int) -> str | None:
    """Name and compute capability of a device that NVIDIA's driver reports; None where there is none of that number."""
    driver = _start_driver()
    device = ctypes.c_int(0)
    name = ctypes.create_string_buffer(_LONGEST_NAME)
    if (
        driver is None
        or driver.cuDeviceGet(ctypes.byref(device), index) != 0
        or driver.cuDeviceGetName(name, _LONGEST_NAME, device) != 0
    ):
        return None
    capability = [ctypes.c_int(0), ctypes.c_int(0)]
    for number, attribute in zip(capability, (_CAPABILITY_MAJOR, _CAPABILITY_MINOR), strict=True):
        driver.cuDeviceGetAttribute(ctypes.byref(number), attribute, device)
    return f"{name.value.decode(errors='replace')} ({capability[0].value}.{capability[1].value})"


def _start_driver() -> Any | None:
    """NVIDIA's library, ready to be asked; None where there is none, or none that works."""
    name = _CUDA_LIBRARY.get(sys.platform)
    if name is None:
        return None
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return None
    return driver if driver.cuInit(0) == 0 else None
