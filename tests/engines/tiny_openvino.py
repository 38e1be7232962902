"""A detection model of one convolution as an OpenVINO folder: it compiles in a moment, with or without quantisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from detectattn.types import WeightsFile


def write_tiny_openvino(
    folder: Path, *, quantised: bool = False, side: int | None = None, sha256: str = "", imgsz: int = 640
) -> WeightsFile:
    """Write ``tiny_openvino_model``, as Ultralytics writes its exports: any size and number of pictures, two classes.

    Args:
        folder: Where.
        quantised: Whether it holds FakeQuantize nodes, as quantised models do.
        side: Of the input, where it is fixed.
        sha256: What the file is said to have.
        imgsz: What it says it was made for.
    """
    ov = pytest.importorskip("openvino")
    ops = ov.opset8
    pictures = ops.parameter([-1, 3, side or -1, side or -1], np.float32, name="images")
    seen = pictures
    if quantised:
        low, high = (ops.constant(np.float32(v)) for v in (0, 1))
        seen = ops.fake_quantize(pictures, low, high, low, high, 256)
    weight = np.random.default_rng(0).normal(size=(6, 3, 32, 32)).astype(np.float32) / 40
    weight[:4] = np.abs(weight[:4]) * 60
    cells = ops.convolution(seen, ops.constant(weight), [32, 32], [0, 0], [0, 0], [1, 1])
    boxes, logits = (ops.strided_slice(cells, [0, a], [0, b], [1, 1], [1, 0], [1, 0]) for a, b in ((0, 4), (4, 6)))
    rows = ops.reshape(ops.concat([boxes, ops.sigmoid(logits)], 1), ops.constant(np.array([0, 6, -1])), True)
    path = folder / "tiny_openvino_model"
    path.mkdir(parents=True)
    ov.save_model(ov.Model([rows], [pictures], "tiny"), path / "tiny.xml", compress_to_fp16=False)
    told = {"names": {0: "car", 1: "bus"}, "task": "detect", "stride": 32, "description": "Ultralytics YOLOv8n"}
    (path / "metadata.yaml").write_text(yaml.safe_dump({**told, "imgsz": [imgsz, imgsz], "args": {"dynamic": True}}))
    return WeightsFile(path, sha256, "openvino", "local")
