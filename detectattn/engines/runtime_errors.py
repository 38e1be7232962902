"""What runtimes raise, in our terms; few have an exception of its own for memory that ran out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from detectattn.errors import DetectattnError, EngineError, OutOfMemory
from detectattn.types import F32

# PyTorch on the CPU and on CUDA, cuBLAS and cuDNN; the C++ library on Linux and on Windows; ONNX Runtime; OpenVINO's
# plugins for CPUs and GPUs.
_TEXTS = (
    "DefaultCPUAllocator",
    "out of memory",
    "_ALLOC_FAILED",
    "ALLOCATION_FAILED",
    "bad_alloc",
    "bad allocation",
    "Failed to allocate",
    "not enough memory",
    "CL_OUT_OF_RESOURCES",
    "CL_OUT_OF_HOST_MEMORY",
    "CL_MEM_OBJECT_ALLOCATION_FAILURE",
    "Exceeded max size of memory",
)


def tells_of_memory(error: Exception) -> bool:
    """Whether memory ran out, by the error's kind or its text."""
    return isinstance(error, MemoryError) or any(text.lower() in str(error).lower() for text in _TEXTS)


@contextmanager
def memory_errors(device: str, tensor: F32) -> Iterator[None]:
    """Within the block, turn what a runtime raises when ``tensor`` [N, 3, h, w] does not fit into ``OutOfMemory``.

    Raises:
        OutOfMemory: The device's memory does not suffice.
    """
    try:
        yield
    except Exception as error:
        if not tells_of_memory(error):
            raise
        size = f"{tensor.shape[2]}×{tensor.shape[3]}"
        raise OutOfMemory(
            f"{device} has too little memory for a batch of {len(tensor)} at {size}",
            hint="Use a smaller --batch or --imgsz, or --device cpu",
        ) from error


@contextmanager
def opening_errors(model: str, device: str) -> Iterator[None]:
    """Within the block, turn what a runtime raises when it opens a model into errors of ours.

    Args:
        model: What is opened, and with what, in words.
        device: Where, as it was asked for.

    Raises:
        OutOfMemory: The device's memory does not suffice.
        EngineError: The runtime, or its driver, fails otherwise.
    """
    try:
        yield
    except DetectattnError:
        raise
    except Exception as error:
        if tells_of_memory(error):
            raise OutOfMemory(
                f"there is too little memory to open {model} (device {device})",
                hint="Close what else uses it, use a smaller --imgsz or another model, or --device cpu",
            ) from error
        if not isinstance(error, RuntimeError):
            raise
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise EngineError(
            f"{model} cannot be opened on device {device}: {lines[0][:200]}",
            hint="Use another --engine or --device; `detectattn doctor` says what this machine has",
        ) from error
