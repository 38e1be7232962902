"""Output layouts are told apart by metadata, and by shape alone only where one fits."""

from __future__ import annotations

from typing import Any

import pytest

from detectattn.engines.base import HeadLayout
from detectattn.engines.layout import find_family, find_layout, parse_class_names, parse_metadata, require_detection
from detectattn.errors import CorruptWeights, WrongTask

OLD_YOLO = {"description": "Ultralytics YOLOv8n model trained on coco.yaml", "task": "detect"}
OLD_RTDETR = {"description": "Ultralytics rtdetr-l model trained on coco.yaml", "task": "detect"}


@pytest.mark.parametrize(
    ("metadata", "shape", "n_classes", "layout"),
    [
        ({"head": "RTDETRDecoder", "end2end": False}, [1, 300, 6], 80, "rtdetr_topk"),
        ({"head": "RTDETRDecoder", "end2end": False}, [None, 300, 6], 2, "rtdetr_topk"),
        ({"head": "Detect", "end2end": True}, [1, 300, 6], 80, "yolo_end2end"),
        ({"head": "Detect", "end2end": True}, [1, 300, 6], 2, "yolo_end2end"),
        ({"head": "Detect", "end2end": False}, [1, 84, 8400], 80, "yolo_dense"),
        ({"head": "Detect", "args": {"nms": True}}, [1, 300, 6], 80, "yolo_end2end"),
        (OLD_YOLO, [1, 84, 8400], 80, "yolo_dense"),
        (OLD_YOLO, [1, 84, None], 80, "yolo_dense"),
        ({"head": "Detect", "end2end": False}, [None, None, None], 80, "yolo_dense"),
        (OLD_RTDETR, [1, 300, 84], 80, "rtdetr_dense"),
        (OLD_RTDETR, [1, 300, 6], 2, "rtdetr_dense"),
    ],
)
def test_layout(metadata: dict[str, Any], shape: list[int | None], n_classes: int, layout: HeadLayout) -> None:
    assert find_layout(metadata, shape, n_classes, "model") == layout


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        ("rtdetr_dense", [None, 300, 4]),
        ("rtdetr_dense", [None, None, 4]),
        ("yolo_dense", [None, 6, None]),
        ("yolo_one2one", [1, 2100, 6]),
    ],
)
def test_our_own_exports_say_it_themselves(layout: HeadLayout, shape: list[int | None]) -> None:
    """Also where Ultralytics' rules would take six columns for a top-k, or a description for another family."""
    own = {"description": "rtdetr-l, converted", "detectattn": {"layout": layout, "family": "cnn"}}
    assert find_layout(own, shape, 2, "model") == layout
    assert find_family(own) == "cnn"


@pytest.mark.parametrize(
    ("layout", "shape"),
    [("rtdetr_dense", [1, 300, 6]), ("yolo_dense", [1, 84, 8400]), ("yolo_end2end", [1, 300, 6]), (None, [1, 6, 100])],
)
def test_own_metadata_of_another_model_is_refused(layout: str | None, shape: list[int | None]) -> None:
    with pytest.raises(CorruptWeights, match="do not belong together"):
        find_layout({"detectattn": {"layout": layout}}, shape, 2, "model")


@pytest.mark.parametrize(
    ("metadata", "shape", "n_classes"),
    [
        ({}, [1, 300, 6], 80),  # a top-k of either family
        ({}, [1, 1000], 80),
        ({"head": "Detect", "end2end": False}, [1, 33, 8400], 80),
    ],
)
def test_what_cannot_be_told_is_refused(metadata: dict[str, Any], shape: list[int | None], n_classes: int) -> None:
    with pytest.raises(CorruptWeights, match="model has an output of shape"):
        find_layout(metadata, shape, n_classes, "model")


def test_onnx_text_values_are_parsed() -> None:
    parsed = parse_metadata({"names": "{0: 'a', 1: 'b'}", "imgsz": "[256, 320]", "end2end": "True", "author": "U"})
    assert parsed == {"names": {0: "a", 1: "b"}, "imgsz": [256, 320], "end2end": True, "author": "U"}


@pytest.mark.parametrize(("names", "expected"), [({0: "a"}, {0: "a"}), (["a", "b"], {0: "a", 1: "b"})])
def test_class_names(names: Any, expected: dict[int, str]) -> None:
    assert parse_class_names({"names": names}, "model") == expected


def test_class_numbers_are_held_to_the_number_of_names() -> None:
    with pytest.raises(CorruptWeights, match=r"model names 2 classes, and numbers one of them 999999999"):
        parse_class_names(parse_metadata({"names": "{0: 'a', 999999999: 'b'}"}), "model")


def test_missing_class_names_and_other_tasks_are_refused() -> None:
    with pytest.raises(CorruptWeights, match="names no classes"):
        parse_class_names({}, "model")
    with pytest.raises(WrongTask, match="'segment'"):
        require_detection({"task": "segment"}, "model")


@pytest.mark.parametrize(
    ("metadata", "family"),
    [
        (OLD_RTDETR, "attention"),
        (OLD_YOLO, "cnn"),
        ({"description": "Ultralytics YOLO11n model"}, "hybrid"),
        ({"description": "Ultralytics YOLO26s model"}, "hybrid"),
        ({"head": "RTDETRDecoder", "description": "mine"}, "attention"),
    ],
)
def test_family(metadata: dict[str, Any], family: str) -> None:
    assert find_family(metadata) == family
