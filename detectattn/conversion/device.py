"""Where a converted model will run: settled before it is looked for, since it is judged there and nowhere else."""

from __future__ import annotations

import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from detectattn.conversion.accelerator import count_cuda_devices, describe_cuda_device
from detectattn.engines.openvino_runtime import import_openvino
from detectattn.engines.runtime_errors import opening_errors
from detectattn.errors import DetectattnError

_CUDA = "cuda:0"
_UNKNOWN = "unknown"
# An ONNX model that gives back its one number: the least that a session can be opened on.
_IDENTITY = (
    b'\x08\x08\x12\x00:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02'
    b"\x08\x01b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\x11"
)


def resolve_device(engine: str, name: str) -> str:
    """The device that an engine takes where it is told ``name``; what is not there is refused later, where it is used.

    ``auto`` is the processor for OpenVINO, and for ONNX Runtime the first GPU that CUDA can be started on. PyTorch and
    Ultralytics are not imported, and ONNX Runtime only where there is an NVIDIA GPU.

    Args:
        engine: ``openvino``, ``onnx``, ``tensorrt``.
        name: As in :class:`~detectattn.engines.base.EngineOptions`.
    """
    if engine == "openvino":
        return "cpu" if name == "auto" else name.lower()
    if name == "cuda" or (engine == "tensorrt" and name == "auto"):
        return _CUDA
    if name == "auto":
        return _CUDA if _can_start_cuda() else "cpu"
    return name


def describe_gpu(engine: str, device: str) -> str | None:
    """What a resolved device is called by its maker; None of the processor, and of what has no name of its own."""
    kind, _, index = device.partition(":")
    if engine == "openvino":
        return None if kind == "cpu" else _ask_openvino(device)
    if kind != "cuda" or not index.isdecimal():
        return None
    return describe_cuda_device(int(index)) or _UNKNOWN


@cache
def _can_start_cuda() -> bool:
    """Whether ONNX Runtime can run on CUDA: its build may lack it, and the machine what that needs."""
    if not count_cuda_devices() or find_spec("onnxruntime") is None:
        return False
    # Most machines have no GPU, and what starts on OpenVINO need not wait for this.
    from detectattn.engines.onnx import import_runtime, make_session_options, open_session

    runtime = import_runtime()
    if "CUDAExecutionProvider" not in runtime.get_available_providers():
        return False
    try:
        with tempfile.TemporaryDirectory(prefix="detectattn-") as folder, opening_errors("a model", _CUDA):
            model = Path(folder) / "identity.onnx"
            model.write_bytes(_IDENTITY)
            open_session(runtime, str(model), make_session_options(runtime, 1, 1), _CUDA)
    except (DetectattnError, OSError):
        return False
    return True


def _ask_openvino(device: str) -> str:
    try:
        return str(import_openvino().Core().get_property(device.upper(), "FULL_DEVICE_NAME"))
    except (DetectattnError, RuntimeError):
        return _UNKNOWN  # it is not there, which is told where it is to be used
