"""What an exported model says of itself and of where its weights lie, read without the runtime that it is made for."""

from __future__ import annotations

from pathlib import Path

from detectattn.engines.layout import find_family, find_layout, parse_class_names, require_detection
from detectattn.explain.origin import read_metadata
from detectattn.types import WeightsFile
from detectattn.weights.onnx_data import check_external_data
from fuzz.contract import read_or_refuse
from fuzz.target import Target

_SHAPES = ((1, 300, 6), (1, 84, 8400), (1, 300, 84), (None, None, None))


def run(content: bytes, folder: Path) -> None:
    """Read as ONNX, TensorRT and OpenVINO, then draw conclusions from what it says."""
    for form, name in (("onnx", "model.onnx"), ("tensorrt", "model.engine"), ("openvino", "metadata.yaml")):
        path = folder / name
        path.write_bytes(content)
        weights = WeightsFile(folder if form == "openvino" else path, "0" * 64, form, "local")  # type: ignore[arg-type]
        metadata = read_or_refuse(read_metadata, weights)
        if metadata is None:
            continue
        names = read_or_refuse(parse_class_names, metadata, "model")
        read_or_refuse(require_detection, metadata, "model")
        find_family(metadata)
        for shape in _SHAPES:
            read_or_refuse(find_layout, metadata, shape, len(names or ()), "model")
    read_or_refuse(check_external_data, folder / "model.onnx")


TARGET = Target(
    reads="metadata of exported models: ONNX, TensorRT, OpenVINO",
    modules=("detectattn.explain.origin", "detectattn.engines.layout", "detectattn.weights", "detectattn.yaml_text"),
    run=run,
)
