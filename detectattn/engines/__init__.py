"""Engines run models: one file a runtime, one line here to make it known."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from detectattn.engines.base import Engine, EngineOptions
from detectattn.engines.detector import Detector
from detectattn.engines.runtime_errors import opening_errors
from detectattn.errors import EngineError
from detectattn.types import WeightsFile

ENGINES: Mapping[str, str] = {
    "torch": "detectattn.engines.pytorch:TorchEngine",
    "openvino": "detectattn.engines.openvino:OpenVinoEngine",
    "onnx": "detectattn.engines.onnx:OnnxEngine",
    "tensorrt": "detectattn.engines.tensorrt:TensorRtEngine",
}

CONVERSION_RECORD = "conversion.json"
"""What :mod:`detectattn.conversion` writes beside a model that it has converted."""

# The first is what runs a format unless another is asked for.
_ENGINES_OF_FORMAT: Mapping[str, tuple[str, ...]] = {
    "pt": ("torch",),
    "safetensors": ("torch",),
    "openvino": ("openvino",),
    "onnx": ("onnx", "tensorrt"),
}


def open_detector(
    weights: WeightsFile, options: EngineOptions, *, name: str | None = None, engine: str = "auto"
) -> Detector:
    """Load a model with the engine that runs its format.

    Args:
        weights: The model on disk.
        options: Device, precision, image size, batch.
        name: Its name in records; by default that of the file.
        engine: ``auto`` or a key of :data:`ENGINES`; it must be able to run the file as it is.

    Raises:
        EngineError: No engine here runs this format, or not the one asked for; or it cannot open the model.
        OutOfMemory: The device's memory does not suffice for the model.
        ModelError: The model cannot be used.
    """
    fitting = _ENGINES_OF_FORMAT.get(weights.format, ())
    chosen = next((name for name in fitting if engine in ("auto", name)), None)
    if chosen is None:
        asked = f"{weights.format} with engine {engine!r}" if fitting else weights.format
        other = f", or --engine {' or '.join(fitting)}" if fitting else ""
        raise EngineError(
            f"{weights.path} cannot be run: no engine here takes {asked}",
            hint=f"Use the .pt, .onnx or OpenVINO form of the model{other}",
        )
    module, _, attribute = ENGINES[chosen].partition(":")
    with opening_errors(f"{weights.path} with {chosen}", options.device):
        loaded: Engine = getattr(import_module(module), attribute)(weights, options)
    batch = options.batch or (1 if loaded.spec.device == "cpu" else 8)
    return Detector(loaded, name or model_name(weights.path), weights, batch)


def model_name(path: Path) -> str:
    """The name a model goes by when it has none: its file's stem, without what exporters append.

    A folder of ours has the name of the model in it, since its own is a number (``runs/export-001``).
    """
    if (path / CONVERSION_RECORD).is_file():
        path = next(path.glob("*.xml"), path)
    return path.stem.removesuffix("_openvino_model") or path.name
