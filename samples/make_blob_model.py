"""Makes a detector without training, an ONNX graph that finds evenly coloured blobs.

    python samples/make_blob_model.py blobs.onnx

At each place, for each of eight sizes, it compares the mean colour of a square with that of the ring around it, against
how much either varies: an even square on an even ring of another colour scores high. That is average pooling and
arithmetic, so it needs no weights. It has one class and knows no shape from another.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

SIDE_PX = 256
STRIDE_PX = 4
BOX_SIDES_PX = (22, 27, 33, 40, 48, 58, 70, 84)
# Of a box's side: the square within, clear of the corners of a triangle or a turned square, and the ring's outer edge.
INNER, OUTER = 0.5, 1.3
# Chosen on the sample pictures: how much unevenness counts, inside and in the ring, and what contrast is enough.
INSIDE_WEIGHT, RING_WEIGHT, CONTRAST = 4.0, 2.0, 0.3
# Bends scores so that the best threshold comes to lie near 0.25, where `detectattn predict` has it.
SCORE_POWER = 1.4


class Graph:
    """Nodes and constants, as they are added."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, operator: str, *inputs: str | float | NDArray[np.generic], **attributes: Any) -> str:
        """Add a node; numbers and arrays among its inputs become constants. Returns the name of its output."""
        names = [value if isinstance(value, str) else self._constant(np.asarray(value)) for value in inputs]
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], **attributes))
        return output

    def _constant(self, value: NDArray[np.generic]) -> str:
        name = f"constant_{len(self.constants)}"
        typed = value.astype(np.float32) if value.dtype.kind == "f" else value
        self.constants.append(numpy_helper.from_array(typed, name))
        return name


def make_model() -> onnx.ModelProto:
    """The detector: images f32[1, 3, 256, 256] to f32[1, 5, N], rows center x, center y, width, height, score."""
    graph = Graph()
    moments = graph.add("Concat", "images", graph.add("Mul", "images", "images"), axis=1)  # [1, 6, h, w]: x and x²
    per_size = [graph.add("Concat", _boxes(side), _score(graph, moments, side), axis=1) for side in BOX_SIDES_PX]
    graph.nodes.append(helper.make_node("Concat", per_size, ["output0"], axis=2))
    cells = (SIDE_PX // STRIDE_PX) ** 2
    onnx_graph = helper.make_graph(
        graph.nodes,
        "blobs",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE_PX, SIDE_PX])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 5, cells * len(BOX_SIDES_PX)])],
        graph.constants,
    )
    model = helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    about = {"description": "Blob detector without weights", "task": "detect", "names": "{0: 'shape'}", "stride": "4"}
    helper.set_model_props(model, about)
    onnx.checker.check_model(model, full_check=True)
    return model


def _boxes(side_px: int) -> NDArray[np.float32]:
    """The boxes of one size, f32[1, 4, cells], one on each cell."""
    y, x = np.mgrid[0:SIDE_PX:STRIDE_PX, 0:SIDE_PX:STRIDE_PX].reshape(2, -1) + 0.5
    sides = np.full_like(x, side_px)
    return np.stack([x, y, sides, sides])[None].astype(np.float32)


def _score(graph: Graph, moments: str, side_px: int) -> str:
    """The scores of one size, f32[1, 1, cells]."""
    inner, edge, outer = (_odd(side_px * part) for part in (INNER, 1.0, OUTER))
    inside = _pool(graph, moments, inner)
    ring_area = outer**2 - edge**2
    outer_sum = graph.add("Mul", _pool(graph, moments, outer), outer**2 / ring_area)
    ring = graph.add("Sub", outer_sum, graph.add("Mul", _pool(graph, moments, edge), edge**2 / ring_area))
    inside_mean, inside_spread = _mean_and_spread(graph, inside)
    ring_mean, ring_spread = _mean_and_spread(graph, ring)
    contrast = _sum_channels(graph, graph.add("Abs", graph.add("Sub", inside_mean, ring_mean)))
    unevenness = graph.add(
        "Add", graph.add("Mul", inside_spread, INSIDE_WEIGHT), graph.add("Mul", ring_spread, RING_WEIGHT)
    )
    total = graph.add("Add", graph.add("Add", contrast, unevenness), CONTRAST)
    score = graph.add("Pow", graph.add("Div", contrast, total), SCORE_POWER)
    return graph.add("Reshape", score, np.array([1, 1, -1], np.int64))


def _pool(graph: Graph, moments: str, kernel_px: int) -> str:
    """Means over squares around every cell, down and then across; the picture's edge goes on beyond it."""
    pad = kernel_px // 2
    padded = graph.add("Pad", moments, np.array([0, 0, pad, pad] * 2, np.int64), mode="edge")
    down = graph.add("AveragePool", padded, kernel_shape=[kernel_px, 1], strides=[STRIDE_PX, 1])
    return graph.add("AveragePool", down, kernel_shape=[1, kernel_px], strides=[1, STRIDE_PX])


def _mean_and_spread(graph: Graph, moments: str) -> tuple[str, str]:
    """Mean of each channel, and the standard deviations of all three added up, from means of x and x²."""
    mean, square = (
        graph.add("Slice", moments, *(np.array([value], np.int64) for value in (start, start + 3, 1)))
        for start in (0, 3)
    )
    variance = graph.add("Sub", square, graph.add("Mul", mean, mean))
    return mean, _sum_channels(graph, graph.add("Sqrt", graph.add("Max", variance, 0.0)))


def _sum_channels(graph: Graph, values: str) -> str:
    return graph.add("ReduceSum", values, np.array([1], np.int64), keepdims=1)


def _odd(length_px: float) -> int:
    return int(length_px) // 2 * 2 + 1


def main() -> None:
    """Write the model to the path that the command line names."""
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(make_model(), path)


if __name__ == "__main__":
    main()
