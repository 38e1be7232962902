"""What a file of weights tells of a model before it is loaded: what cannot be swept, and what it does by itself.

Nothing in the file is executed, and PyTorch is not imported.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detectattn.types import WeightsFile
from detectattn.yaml_text import parse_yaml

_HEAD = "RTDETRDecoder"
# Where RTDETRDecoder takes them, after the classes: hidden size, queries, points, heads, layers.
_QUERIES_AT, _LAYERS_AT = 2, 5
# The largest of the published models, rtdetr-x, has a third of a megabyte.
_MOST_OF_PICKLE = 1 << 24
_TORCH_FORMATS = frozenset({"pt", "safetensors"})


def find_fixed_axes(weights: WeightsFile) -> Mapping[str, str]:
    """Axes along which a model cannot be varied, each with the reason; empty where only loading tells."""
    if weights.format not in _TORCH_FORMATS:
        reason = "an export is what it is"
        return dict.fromkeys(("decoder_layers", "queries", "precision", "engine"), reason)
    if _has_decoder(weights) is False:
        return dict.fromkeys(("decoder_layers", "queries"), "it has no RT-DETR decoder to cut")
    return {}


def read_own_values(weights: WeightsFile) -> Mapping[str, str | int]:
    """By axis, what a model does by itself, as far as its file tells: all of an embedded RT-DETR, less of others."""
    if weights.format not in _TORCH_FORMATS:
        return {}
    own: dict[str, str | int] = {"precision": "fp32"}
    if weights.format != "safetensors":
        return own
    metadata = _read_metadata(weights.path)
    if re.fullmatch(r"\d{1,9}", metadata.get("imgsz", "")):
        own["imgsz"] = int(metadata["imgsz"])
    head = _read_head(metadata)
    if head is not None and head[0] == _HEAD and len(head[1]) > _LAYERS_AT:
        queries, layers = head[1][_QUERIES_AT], head[1][_LAYERS_AT]
        if isinstance(queries, int) and isinstance(layers, int):
            own["queries"], own["decoder_layers"] = queries, layers
    return own


def find_impossible(engine: str, precision: str) -> str | None:
    """Why no model runs on an engine at a precision, a clause; None where one may.

    Args:
        engine: ``torch``, ``openvino``, ``onnx``, or ``auto``, which has one for every precision.
        precision: ``auto``, ``fp32``, ``fp16``, ``bf16`` or ``int8``.
    """
    if engine in ("torch", "onnx") and precision in ("int8", "bf16"):
        return f"{precision} is for OpenVINO"
    return None


def _has_decoder(weights: WeightsFile) -> bool | None:
    """Whether an RT-DETR's decoder is in a file; None where that cannot be seen."""
    if weights.format == "safetensors":
        head = _read_head(_read_metadata(weights.path))
        return None if head is None else head[0] == _HEAD
    try:
        with zipfile.ZipFile(weights.path) as archive:
            name = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
            if name is None:
                return None
            with archive.open(name) as stream:
                content = stream.read(_MOST_OF_PICKLE + 1)
    except Exception:  # noqa: BLE001 - a damaged archive, of which zlib, struct and others each say it in their own way
        return None
    # A pickle names the classes of what it holds in plain text.
    has_head = _HEAD.encode() in content
    return has_head if has_head or len(content) <= _MOST_OF_PICKLE else None


def _read_metadata(path: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as stream:
            return stream.metadata() or {}
    except (OSError, SafetensorError):
        return {}


def _read_head(metadata: Mapping[str, str]) -> tuple[str, list[Any]] | None:
    """Name and arguments of the last module in the model's YAML; None where there is none."""
    try:
        _, _, name, arguments = parse_yaml(metadata["model_yaml"])["head"][-1]
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return str(name), list(arguments)
