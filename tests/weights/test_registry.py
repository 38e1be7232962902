from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from detectattn.weights.registry import RegistryModel, find_model, find_nearest, load_registry

NAMES = {"rtdetr-l", "rtdetr-x"} | {
    f"{family}{size}" for family in ("yolov8", "yolo11", "yolo12", "yolo26") for size in "nsmlx"
}


def test_the_registry_holds_the_documented_models() -> None:
    assert set(load_registry()) == NAMES


@pytest.mark.parametrize("model", load_registry().values(), ids=lambda model: model.name)
def test_every_entry_is_plausible(model: RegistryModel) -> None:
    assert model.family == {"rtdetr": "attention", "yolov8": "cnn"}.get(model.name[:6], "hybrid")
    assert 30 < model.ap50_95 < 60
    assert 1 < model.params_m < 100 < 500 > model.gflops > 5
    assert model.sha256 is None or re.fullmatch("[0-9a-f]{64}", model.sha256)
    assert (model.sha256 is None) == (model.size_bytes is None)
    # A float16 checkpoint takes two bytes a parameter.
    assert model.size_bytes is None or 0.9 < model.size_bytes / (model.params_m * 2e6) < 1.3
    assert model.source


def test_the_table_is_the_published_one(shared: Path) -> None:
    with (shared / "reference/weights_sha256.csv").open(encoding="utf-8") as stream:
        checksums = {row["name"]: (int(row["size_bytes"]), row["sha256"]) for row in csv.DictReader(stream)}
    with (shared / "reference/published_models.csv").open(encoding="utf-8") as stream:
        published = {row["name"]: row for row in csv.DictReader(stream)}
    for model in load_registry().values():
        assert (model.size_bytes, model.sha256) == checksums.get(model.file_name, (None, None))
        row = published[model.name]
        figures = (model.ap50_95, model.ap50_95_end2end, model.t4_ms, model.cpu_ms, model.params_m, model.gflops)
        columns = ("ap50_95", "ap50_95_end2end", "t4_trt_fp16_ms", "cpu_onnx_ms", "params_m", "gflops")
        assert figures == tuple(float(row[key]) if row[key] else None for key in columns)


def test_weights_are_the_assets_of_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DETECTATTN_WEIGHTS_URL", raising=False)
    url = load_registry()["rtdetr-l"].url
    assert url == "https://github.com/ultralytics/assets/releases/download/v8.4.0/rtdetr-l.pt"
    monkeypatch.setenv("DETECTATTN_WEIGHTS_URL", "https://mirror.example/weights/")
    assert load_registry()["rtdetr-l"].url == "https://mirror.example/weights/v8.4.0/rtdetr-l.pt"


@pytest.mark.parametrize("text", ["yolo11n", "YOLO11n", "yolo11n.pt", "Yolo11N.PT"])
def test_a_name_is_found_in_any_spelling(text: str) -> None:
    model = find_model(text)
    assert model is not None
    assert model.name == "yolo11n"


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("rt-detr-l", "rtdetr-l"),
        ("yolov11n", "yolo11n"),
        ("rtdetr-s", "rtdetr-x"),
        ("yolo12", "yolo12n"),
        ("zzz", None),
    ],
)
def test_the_nearest_names_are_suggested(typed: str, nearest: str | None) -> None:
    assert find_model(typed) is None
    found = find_nearest(typed)
    assert nearest in found if nearest else found == []
