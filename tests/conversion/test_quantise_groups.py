"""How a graph's operations are grouped: by what the exporter called them, or by their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from detectattn.conversion.quantise_groups import find_groups
from detectattn.engines.openvino_runtime import import_openvino

openvino = import_openvino()


def chain(names: Sequence[str]) -> Any:
    """Convolutions one after another, each of twice the multiplications of the one before: 1, 2, 4 output channels …"""
    from openvino import opset13 as ops

    pixels = value = ops.parameter([1, 1, 8, 8], np.float32)
    for number, name in enumerate(names):
        weights = ops.constant(np.ones((1, 1, 1, 1 + number), np.float32))
        pads = [0, 0], [0, number]
        value = ops.convolution(value, weights, [1, 1], *pads, [1, 1], name=name)
    return openvino.Model([value], [pixels], "chain")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("__module.model.model.0.conv/aten::_convolution/Convolution", "layer 0"),
        ("__module.model.model.23.cv2.0.0.conv/aten::_convolution/Convolution", "layer 23 cv2"),
        ("__module.model.model.23.dfl.conv/aten::_convolution/Convolution", "layer 23 dfl"),
        ("__module.model.model.23/aten::sub/Subtract", "layer 23 arithmetic"),
        ("__module.model.model.23.decoder.layers.4.linear1/aten::linear/MatMul", "layer 23 decoder 4"),
        ("__module.model.model.23.decoder/aten::add/Add", "layer 23 decoder"),
        ("__module.model.model.23.dec_bbox_head.4.layers.0/aten::linear/MatMul", "layer 23 dec_bbox_head"),
        ("/model.0/conv/Conv/WithoutBiases", "layer 0"),
        ("/model.23/cv2.0/cv2.0.0/conv/Conv/WithoutBiases", "layer 23 cv2"),
        ("/model.23/Sub", "layer 23 Sub"),
    ],
)
def test_a_name_tells_the_layer(name: str, label: str) -> None:
    last = "__module.model.model.23.cv3/Convolution"
    groups = find_groups(chain([name, last]))
    assert groups[0].name == label
    assert name in groups[0].operations
    assert groups[-1].name == "layer 23 cv3"


def test_what_has_no_name_of_a_layer_goes_with_what_is_before_it() -> None:
    groups = find_groups(chain(["__module.model.0.a/Convolution", "Convolution_7", "__module.model.1.b/Convolution"]))
    assert [(group.name, len(group.operations)) for group in groups] == [("layer 0", 2), ("layer 1 b", 1)]


def test_a_graph_without_names_is_cut_into_pieces() -> None:
    groups = find_groups(chain([f"Convolution_{number}" for number in range(40)]))
    assert [len(group.operations) for group in groups] == [3] * 13 + [1]
    assert groups[0].name == "piece 1"


def test_work_is_the_share_of_multiplications() -> None:
    """Kernels of 1, 2 and 3 weights over as many places."""
    groups = find_groups(chain(["__module.model.0.a/C", "__module.model.1.a/C", "__module.model.2.a/C"]))
    assert [group.work for group in groups] == pytest.approx([1 / 6, 2 / 6, 3 / 6])


@pytest.mark.parametrize("transposed", [False, True])
def test_work_of_a_matrix_product(transposed: bool) -> None:
    from openvino import opset13 as ops

    rows = ops.parameter([7, 3] if transposed else [3, 7], np.float32)
    product = ops.matmul(
        rows, ops.constant(np.ones((7, 5), np.float32)), transposed, False, name="__module.model.0.a/M"
    )
    pixels = ops.parameter([1, 1, 3, 35], np.float32)
    other = ops.convolution(
        pixels,
        ops.constant(np.ones((1, 1, 1, 1), np.float32)),
        [1, 1],
        [0, 0],
        [0, 0],
        [1, 1],
        name="__module.model.1.a/C",
    )
    groups = find_groups(openvino.Model([product, other], [rows, pixels], "two"))
    assert {group.name: group.work for group in groups} == {"layer 0": 0.5, "layer 1 a": 0.5}


def test_arithmetic_on_shapes_is_left_alone() -> None:
    from openvino import opset13 as ops

    pixels = ops.parameter([1, 1, 8, 8], np.float32)
    length = ops.add(ops.gather(ops.shape_of(pixels), ops.constant([3]), ops.constant(0)), ops.constant([1]))
    value = ops.multiply(pixels, ops.convert(length, "f32"), name="__module.model.0/Multiply")
    (group,) = find_groups(openvino.Model([value], [pixels], "shapes"))
    assert group.operations == ("__module.model.0/Multiply",)
