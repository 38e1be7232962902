"""From a converted model back to the weights that it was made from, which PyTorch can open."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from detectattn.conversion.own_export import load_export_record
from detectattn.conversion.record import ConversionRecord
from detectattn.engines import model_name
from detectattn.engines.layout import parse_metadata
from detectattn.errors import EngineError
from detectattn.types import WeightsFile
from detectattn.weights.embedded import embedded_path
from detectattn.weights.locate import locate_weights
from detectattn.weights.protobuf import iter_blocks, read_entry
from detectattn.weights.registry import find_model
from detectattn.yaml_text import read_yaml

_TORCH_FORMATS = frozenset({"pt", "safetensors"})
_RUNTIMES = {"onnx": "ONNX Runtime", "openvino": "OpenVINO", "tensorrt": "TensorRT"}
_DESCRIBED = re.compile(r"Ultralytics (\S+) model", re.IGNORECASE)
# More than any exporter writes; a broken length would have all of memory read.
_MAX_METADATA_BYTES = 1 << 24
_METADATA_PROPS = 14


def find_torch_weights(weights: WeightsFile, on_notice: Callable[[str], None]) -> WeightsFile:
    """The weights that can be looked into: these, or those that an export was made from, if they are at hand.

    What lies beside the export under its name comes first, then the embedded or published model that it is named
    after or says that it was made from, if that is in the cache. Of an export of this project, its record says the name
    and the checksum, and other weights are not taken. Nothing is downloaded: naming a file does not consent to that.

    Args:
        weights: What the user named.
        on_notice: Told what is taken instead.

    Raises:
        EngineError: It is an export, and its weights are not at hand.
    """
    if weights.format in _TORCH_FORMATS:
        return weights
    runtime, record = _RUNTIMES[weights.format], load_export_record(weights)
    names = _list_names(weights, record)
    others = []
    for candidate in _iter_candidates(weights, names, record):
        found = locate_weights(candidate, offline=True, on_notice=on_notice)
        if record is not None and found.sha256 != record.weights_sha256:
            others.append(candidate)
            continue
        on_notice(
            f"{weights.path} is made for {runtime}, which shows nothing of its inside: taking {candidate} instead"
        )
        return found
    problem = f"{weights.path} is made for {runtime}, which does not let anyone see its attention"
    if record is not None and others:
        checksum = f"its record names weights of SHA-256 {str(record.weights_sha256)[:12]}…"
        raise EngineError(
            f"{problem}, and {' and '.join(others)} is not what it was made from: {checksum}",
            hint="Give the .pt file that it was made from",
        )
    published = next((known.name for name in names if (known := find_model(name)) is not None), None)
    wanted = f"-m {published}" if published else f"the .pt file that it was made from, or put {names[0]}.pt beside it"
    raise EngineError(problem, hint=f"Give {wanted}")


def read_metadata(weights: WeightsFile) -> Mapping[str, Any]:
    """What an exporter wrote about a model, parsed; empty where it cannot be read.

    The file is read without the runtime that it is made for.
    """
    readers: Mapping[str, Callable[[Path], Mapping[str, Any]]] = {
        "onnx": _read_onnx,
        "openvino": _read_openvino,
        "tensorrt": _read_tensorrt,
    }
    if weights.format not in readers:
        return {}
    try:
        return parse_metadata(readers[weights.format](weights.path))
    except (OSError, ValueError, OverflowError, RecursionError):
        # Nothing rests on it alone: the model's own engine would say what is wrong with the file.
        return {}


def _iter_candidates(weights: WeightsFile, names: Sequence[str], record: ConversionRecord | None) -> Iterator[str]:
    # An export of this project is a folder, whatever the format.
    in_folder = weights.path.suffix == ".xml" or (record is not None and weights.path.is_file())
    folder = weights.path.parent.parent if in_folder else weights.path.parent
    for name in names:
        beside = folder / f"{name}.pt"
        if os.path.isfile(beside):  # noqa: PTH113 - Path.is_file raises where a name is too long
            yield str(beside.absolute())
    for name in names:
        published = find_model(name)
        if embedded_path(name.lower()) is not None or (published is not None and published.cached_path.is_file()):
            yield name.lower()


def _list_names(weights: WeightsFile, record: ConversionRecord | None) -> list[str]:
    """What the model may have been called: by its record, else by its file and its own description."""
    own = model_name(weights.path)
    if record is not None:
        names = [str(record.name), own]
    else:
        described = _DESCRIBED.search(str(read_metadata(weights).get("description", "")))
        names = [own, re.sub(r"_(int8|fp16|half)$", "", own), *([described[1]] if described else [])]
    return [name for name in dict.fromkeys(names) if "/" not in name and "\\" not in name]


def _read_openvino(path: Path) -> Mapping[str, Any]:
    folder = path.parent if path.suffix == ".xml" else path
    content = read_yaml(folder / "metadata.yaml")
    return content if isinstance(content, Mapping) else {}


def _read_tensorrt(path: Path) -> Mapping[str, Any]:
    """Ultralytics puts the length of its metadata, then the metadata as JSON, before the engine."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(4), "little")
        content = json.loads(stream.read(length)) if length < _MAX_METADATA_BYTES else {}
    return content if isinstance(content, Mapping) else {}


def _read_onnx(path: Path) -> Mapping[str, Any]:
    """``metadata_props`` of the model: its field 14, entries of two texts (https://onnx.ai/onnx/repo-docs/IR.html)."""
    with path.open("rb") as stream:
        blocks = [b for b in iter_blocks(stream, 0, path.stat().st_size) if b.number == _METADATA_PROPS]
        return dict(read_entry(stream, block, _MAX_METADATA_BYTES) for block in blocks)
