"""Another engine for a model whose own hangs."""

from __future__ import annotations

from dataclasses import replace

from detectattn.conversion.choose import is_convertible
from detectattn.conversion.own_export import load_export_record, to_judged_options
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector

_TORCH_DEVICES = frozenset({"auto", "cpu", "cuda", "mps"})


def open_fallback(detector: Detector, options: EngineOptions) -> Detector:
    """Another engine for a model whose own hangs: PyTorch where it has the weights, else the same with one stream.

    Args:
        detector: The model as it runs.
        options: How it was opened.

    Raises:
        ModelError, EngineError: It cannot be opened.
    """
    info = detector.info
    options = replace(options, batch=detector.batch, streams=1)
    if info.engine != "torch" and is_convertible(detector.weights):
        # PyTorch has no INT8, nor half precision on a processor: it runs in full what was converted to them.
        options = replace(options, device=to_torch_device(options.device), precision="auto", imgsz_hw=info.net_hw)
        return open_detector(detector.weights, options, name=info.name, engine="torch")
    record = load_export_record(detector.weights)
    if record is not None:
        options = to_judged_options(options, record.settings)
    return open_detector(detector.weights, options, name=info.name, engine=info.engine)


def to_torch_device(device: str) -> str:
    """A device as PyTorch has it: ``auto`` in place of those that only OpenVINO knows."""
    return device if device.split(":")[0] in _TORCH_DEVICES else "auto"
