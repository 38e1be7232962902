"""OpenVINO itself: its import without what only converters need, its devices, and in which precision it computes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from detectattn.errors import DeviceNotFound, EngineError, MissingExtra

_CONVERTER = "openvino.tools.ovc"
# By our name: what OpenVINO's hint calls it, and the capability that a device needs for it.
_ARITHMETIC = {"bf16": ("bf16", "BF16"), "fp16": ("f16", "FP16")}


def import_openvino() -> Any:
    """The package ``openvino``, without telemetry; its model converter is loaded only when it is asked for.

    Raises:
        MissingExtra: It is not installed.
    """
    if find_spec("openvino") is None:
        raise MissingExtra(
            "this model needs OpenVINO, which is not installed", hint='Install it: pip install "detectattn[openvino]"'
        )
    # OpenVINO reports usage through this module; without it, it does not. None makes an import fail.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    # The converter takes a third of the import and runs no model. The package itself goes on where it is missing.
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]
    try:
        openvino = import_module("openvino")
    finally:
        del sys.modules[_CONVERTER]
    openvino.__getattr__ = _load_converter  # type: ignore[method-assign]  # PEP 562: asked for what the module lacks
    return openvino


def _load_converter(name: str) -> Any:
    if name != "convert_model":
        raise AttributeError(f"module 'openvino' has no attribute {name!r}")
    return import_module(_CONVERTER).convert_model


def fix_shape(model: Any, shape: Sequence[int]) -> Any:
    """A copy of an ``openvino.Model`` whose input has that shape, and everything after it what follows from it."""
    fixed = model.clone()
    fixed.reshape({fixed.input(0): list(shape)})
    return fixed


def find_device(name: str, available: list[str]) -> str:
    """OpenVINO's name of a device; ``auto`` is the CPU.

    Raises:
        DeviceNotFound: It is not there; the message lists what is.
    """
    wanted = "CPU" if name in ("auto", "cpu") else name.upper()
    if wanted not in available:
        raise DeviceNotFound(
            f"device {name!r} is not there for an OpenVINO model (OpenVINO sees {', '.join(available)})",
            hint="Pass one of those to --device, or use the model's .pt file on another device",
        )
    return wanted


def choose_arithmetic(wanted: str, stored: str, capabilities: list[str], where: str) -> tuple[str, str]:
    """OpenVINO's precision hint, and the precision that a model then runs in.

    Left to itself OpenVINO computes in bfloat16 on processors that have it, which moves boxes and scores: so it is
    float32 unless another is asked for.

    Args:
        wanted: ``auto``, ``fp32``, ``fp16``, ``bf16``, ``int8``.
        stored: In which precision the file holds its weights: ``fp32``, ``fp16``, ``int8``.
        capabilities: What the device can do, in OpenVINO's words.
        where: The file, for the message.

    Raises:
        EngineError: The device cannot compute in it, or the file does not hold it.
    """
    if wanted in ("auto", stored):
        half = wanted == "fp16" and "FP16" in capabilities
        return ("f16" if half else "f32"), stored
    if wanted == "fp32" and stored == "fp16":
        return "f32", stored  # the arithmetic is; the file's weights are rounded
    if stored == "int8" or wanted not in _ARITHMETIC:
        raise EngineError(
            f"{where} holds {stored.upper()} weights and cannot run in {wanted.upper()}",
            hint="Leave --precision out, or use the .pt file that it was made from",
        )
    hint, capability = _ARITHMETIC[wanted]
    if capability not in capabilities:
        able = [ours for ours, (_, theirs) in _ARITHMETIC.items() if theirs in capabilities]
        raise EngineError(
            f"this device does not compute in {wanted.upper()}",
            hint=f"Use --precision {' or '.join(['fp32', *able])}",
        )
    return hint, wanted
