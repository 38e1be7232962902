"""Files that say of themselves what exporters write; no engine need run them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from detectattn.conversion import record as conversion
from detectattn.conversion.record import ConversionRecord
from detectattn.conversion.settings import ConversionSettings
from detectattn.types import WeightsFile


def write_onnx(path: Path, told: Mapping[str, str]) -> WeightsFile:
    """A graph of one node with an exporter's metadata."""
    onnx = pytest.importorskip("onnx")
    make = onnx.helper
    value = make.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [1, 3, 64, 64])
    out = make.make_tensor_value_info("output0", onnx.TensorProto.FLOAT, [1, 3, 64, 64])
    graph = make.make_graph([make.make_node("Relu", ["images"], ["output0"])], "small", [value], [out])
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9)
    make.set_model_props(model, dict(told))
    onnx.save(model, path)
    return WeightsFile(path, "", "onnx", "local")


def write_openvino(folder: Path, told: Mapping[str, object]) -> WeightsFile:
    """A folder as an export leaves it, with nothing in the model."""
    folder.mkdir(parents=True)
    for name in ("model.xml", "model.bin"):
        (folder / name).write_text("<net/>")
    (folder / "metadata.yaml").write_text(yaml.safe_dump(dict(told)))
    return WeightsFile(folder, "", "openvino", "local")


def write_record(folder: Path, name: str, model_file: str, weights_sha256: str) -> Path:
    """What `export` says of a model that it wrote into a folder; the folder."""
    folder.mkdir(exist_ok=True)
    settings = ConversionSettings(engine="onnx", precision="fp32", net_hw=(64, 64), dynamic=False)
    record = ConversionRecord(
        name=name, weights_sha256=weights_sha256, settings=settings, own_hw=(64, 64), conditions={},
        model_file=model_file, files={}, size_bytes=0, convert_s=0.0, gate_s=0.0, gate={}, pictures="",
    )  # fmt: skip
    conversion.write_record(folder, record)
    return folder


def write_engine(path: Path, told: Mapping[str, object]) -> WeightsFile:
    """Metadata as JSON after its length, then the engine."""
    content = json.dumps(dict(told)).encode()
    path.write_bytes(len(content).to_bytes(4, "little") + content + b"\x00engine")
    return WeightsFile(path, "", "tensorrt", "local")
