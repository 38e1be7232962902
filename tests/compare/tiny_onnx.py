"""A detection model of one convolution: it loads in a moment, and its process needs neither PyTorch nor Ultralytics."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from detectattn.types import WeightsFile

SIDE = 64


def write_tiny_onnx(folder: Path, name: str = "tiny", *, batch: int | None = None, broken: bool = False) -> WeightsFile:
    """Write ``name.onnx``, as Ultralytics writes its exports: two classes, 64 × 64.

    Args:
        folder: Where.
        name: Of the file.
        batch: The number of pictures that it takes; any, if None.
        broken: Whether it fails as soon as it is run.
    """
    onnx = pytest.importorskip("onnx")
    # Looked for, not imported: an import leaves an identifier in the home folder unless the engine makes it.
    if find_spec("onnxruntime") is None:
        pytest.skip("onnxruntime is not installed")
    make, from_array = onnx.helper, onnx.numpy_helper.from_array
    weight = np.random.default_rng(0).normal(size=(6, 3, 1, 1)).astype(np.float32)
    shape = np.array([0, 6, 5 if broken else -1], np.int64)
    graph = make.make_graph(
        [
            make.make_node("Conv", ["images", "weight"], ["cells"], strides=[32, 32]),
            make.make_node("Reshape", ["cells", "shape"], ["output0"]),
        ],
        "tiny",
        [make.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [batch or "batch", 3, SIDE, SIDE])],
        [make.make_tensor_value_info("output0", onnx.TensorProto.FLOAT, [batch or "batch", 6, 5 if broken else 4])],
        [from_array(weight, "weight"), from_array(shape, "shape")],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9)
    told = {"names": "{0: 'car', 1: 'bus'}", "task": "detect", "stride": "32", "description": "Ultralytics YOLOv8n"}
    make.set_model_props(model, told)
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    return WeightsFile(path, "", "onnx", "local")
