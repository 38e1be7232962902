"""A model of six numbers a colour, that starts in no time and finds boxes wherever it is bright."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_SIDE = 64
_STRIDE = 8


def write_tiny_model(path: Path) -> Path:
    """Write an ONNX file as Ultralytics writes its exports: two classes, 64 × 64 pixels, 64 boxes, any batch.

    Boxes and scores are linear in the colour of one pixel each, so pictures of noise give a few boxes each.
    """
    import onnx
    from onnx import helper, numpy_helper

    rng = np.random.default_rng(0)
    weight = rng.normal(size=(6, 3, 1, 1)).astype(np.float32)
    weight[:4] *= 12
    weight[4:] = np.abs(weight[4:]) * 0.25
    bias = np.array([32, 32, 24, 24, 0, 0], np.float32)
    shape = np.array([0, 6, (_SIDE // _STRIDE) ** 2], np.int64)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["images", "weight", "bias"], ["cells"], strides=[_STRIDE, _STRIDE]),
            helper.make_node("Reshape", ["cells", "shape"], ["output0"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["batch", 3, _SIDE, _SIDE])],
        [helper.make_tensor_value_info("output0", onnx.TensorProto.FLOAT, ["batch", 6, int(shape[2])])],
        [numpy_helper.from_array(a, name) for name, a in (("weight", weight), ("bias", bias), ("shape", shape))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    told = {"names": "{0: 'car', 1: 'bus'}", "task": "detect", "stride": "32", "description": "Ultralytics YOLOv8n"}
    helper.set_model_props(model, told)
    onnx.save(model, path)
    return path
