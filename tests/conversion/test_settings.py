"""What a conversion is: what is left open, what serves a wish, and what has a key of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detectattn.conversion.settings import ConversionSettings, collect_conditions, compute_key
from detectattn.engines.base import HeadLayout
from detectattn.errors import ConfigError

OWN_HW = (640, 640)
CONDITIONS = {"torch": "2.13", "cpu": "a"}


@pytest.mark.parametrize(
    ("layout", "asked", "dynamic", "batch", "net_hw"),
    [
        ("yolo_dense", {}, True, None, OWN_HW),
        ("yolo_one2one", {"precision": "fp16", "net_hw": (320, 480)}, True, None, (320, 480)),
        ("yolo_dense", {"dynamic": False, "batch": 4}, False, 4, OWN_HW),
        ("yolo_dense", {"precision": "int8"}, True, 1, OWN_HW),
        ("yolo_dense", {"precision": "int8", "dynamic": False}, False, 1, OWN_HW),
        ("rtdetr_dense", {"precision": "int8"}, False, 1, OWN_HW),
        ("rtdetr_dense", {}, False, None, OWN_HW),
        ("rtdetr_dense", {"dynamic": True, "batch": 2}, False, 2, OWN_HW),
    ],
)
def test_resolve(
    layout: HeadLayout, asked: dict[str, Any], dynamic: bool, batch: int | None, net_hw: tuple[int, int]
) -> None:
    resolved = ConversionSettings("openvino", **asked).resolve(layout, OWN_HW)
    assert (resolved.dynamic, resolved.batch, resolved.net_hw) == (dynamic, batch, net_hw)


@pytest.mark.parametrize(
    ("made", "wanted", "serves"),
    [
        ({}, {}, True),
        ({}, {"net_hw": (640, 640)}, True),
        ({"net_hw": (320, 320)}, {}, False),
        ({"net_hw": (320, 320)}, {"net_hw": (320, 320)}, True),
        ({}, {"precision": "fp16"}, False),
        ({}, {"engine": "onnx"}, False),
        ({}, {"device": "gpu"}, False),
        ({}, {"batch": 4}, False),
        ({"batch": 4}, {"batch": 4}, True),
        ({"batch": 4}, {}, False),
        ({}, {"dynamic": False}, False),
        ({"queries": 100}, {}, False),
        ({"queries": 100}, {"queries": 100}, True),
        ({"precision": "int8", "calibration": "a"}, {"precision": "int8"}, True),
        ({"precision": "int8", "calibration": "a"}, {"precision": "int8", "calibration": "b"}, False),
    ],
)
def test_what_serves_a_wish(made: dict[str, Any], wanted: dict[str, Any], serves: bool) -> None:
    settings = ConversionSettings(**{"engine": "openvino", **made}).resolve("yolo_dense", OWN_HW)
    assert settings.serves(ConversionSettings(**{"engine": "openvino", **wanted}), OWN_HW) is serves


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"engine": "onnx", "precision": "int8"}, "not converted to int8"),
        ({"engine": "onnx", "precision": "bf16"}, "ONNX models are not converted to bf16"),
        ({"engine": "tensorrt", "precision": "int8"}, "TensorRT models are not converted to int8"),
        ({"engine": "openvino", "precision": "int8", "batch": 4}, "one picture at a time"),
    ],
)
def test_what_does_not_go_together(asked: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        ConversionSettings(**asked)


def test_keys_differ_with_everything_that_has_a_say() -> None:
    settings = ConversionSettings("openvino").resolve("yolo_dense", OWN_HW)
    key = compute_key("a", settings, CONDITIONS)
    assert key == compute_key("a", ConversionSettings.from_dict(settings.to_dict()), dict(CONDITIONS))
    others = [
        compute_key("b", settings, CONDITIONS),
        compute_key("a", replace(settings, precision="fp16"), CONDITIONS),
        compute_key("a", settings, {**CONDITIONS, "torch": "2.14"}),
        compute_key("a", settings, {**CONDITIONS, "cpu": "b"}),
    ]
    assert len({key, *others}) == 5


def test_conditions_name_what_converts_and_what_runs() -> None:
    openvino = collect_conditions(ConversionSettings("openvino", "int8"))
    assert {"conversion", "torch", "ultralytics", "openvino", "nncf", "cpu"} == openvino.keys()
    assert "onnxruntime" in collect_conditions(ConversionSettings("onnx"))
    assert {"onnxruntime", "tensorrt"} < collect_conditions(ConversionSettings("tensorrt")).keys()


def test_another_build_of_a_version_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"onnxruntime": "1.22.0"}
    monkeypatch.setattr("detectattn.conversion.settings.find_version", installed.get)
    wanted = ConversionSettings("onnx")
    assert collect_conditions(wanted)["onnxruntime"] == "1.22.0"
    installed["onnxruntime-gpu"] = "1.22.0"
    assert collect_conditions(wanted)["onnxruntime"] == "1.22.0, onnxruntime-gpu 1.22.0"
    del installed["onnxruntime"]
    assert collect_conditions(wanted)["onnxruntime"] == "onnxruntime-gpu 1.22.0"
    assert collect_conditions(wanted)["torch"] == "none"


def test_tensorrt_is_made_for_one_number_of_pictures() -> None:
    """The one that its gate sees is then the one that runs."""
    wanted = ConversionSettings("tensorrt", device="cuda:0")
    made = wanted.resolve("yolo_dense", OWN_HW)
    assert made.batch == 8
    assert made.serves(wanted, OWN_HW)
    assert made.serves(replace(wanted, batch=8), OWN_HW)
    assert not made.serves(replace(wanted, batch=1), OWN_HW)


def test_a_new_recipe_leaves_other_conversions_alone() -> None:
    recipes = {
        precision: collect_conditions(ConversionSettings("openvino", precision))["conversion"]
        for precision in ("fp32", "fp16", "bf16", "int8")
    }
    assert recipes == {"fp32": "1", "fp16": "2", "bf16": "1", "int8": "2"}
