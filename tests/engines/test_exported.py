"""Exported models find what their checkpoint finds, without PyTorch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest

from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.engines.exported import read_spec
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import BadImageSize, CorruptWeights, DeviceNotFound, EngineError
from detectattn.types import Detections, WeightsFile

Format = Literal["pt", "onnx", "openvino"]


# Ultralytics' own exports of checkpoints, each in a folder of its own: whose, into what, and how.
EXPORTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "rtdetr-onnx": ("demo-rtdetr", "onnx", {"imgsz": 320, "simplify": False}),
    "rtdetr-openvino": ("demo-rtdetr", "openvino", {"imgsz": 320}),
    "fixed": ("yolov8n", "onnx", {"imgsz": 320, "dynamic": False, "simplify": False}),
    "dynamic": ("yolov8n", "onnx", {"imgsz": 320, "dynamic": True, "simplify": False}),
    "openvino": ("demo-yolo", "openvino", {"imgsz": 320}),
}
_EXPORT = """
import json, sys
sys.modules["openvino_telemetry"] = None
from detectattn.weights.ultralytics_env import import_ultralytics_tasks as load; load()
from ultralytics import RTDETR, YOLO
for path, kind, options in json.loads(sys.argv[1]):
    (RTDETR if "rtdetr" in path else YOLO)(path).export(format=kind, **options)
"""


def open_exported(path: Path, kind: Format) -> Detector:
    return open_detector(WeightsFile(path, "", kind, "local"), EngineOptions(device="cpu"))


def detect(detector: Detector, bgr: np.ndarray, to_frame: Any, conf: float = 0.25) -> Detections:
    batch = detector.collate([to_frame(bgr)], [detector.fit(bgr)])
    return detector.decode(detector.infer(batch), batch.resizes, Thresholds(conf=conf))[0]


@pytest.fixture(scope="module")
def exported(save_checkpoint: Any, save_yolo: Any, make_once: Any) -> Callable[[str], Path]:
    """The exported file or folder of one of ``EXPORTS``; all are made in one process of its own."""

    def make(folder: Path) -> None:
        jobs = []
        for place, (name, kind, options) in EXPORTS.items():
            (folder / place).mkdir()
            source = (save_checkpoint if name.startswith("demo") else save_yolo)(name)
            jobs.append((shutil.copy(source, folder / place), kind, options))
        command = [sys.executable, "-c", _EXPORT, json.dumps(jobs)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]

    def find(place: str) -> Path:
        name, kind, _ = EXPORTS[place]
        file = f"{name}_openvino_model" if kind == "openvino" else f"{name}.onnx"
        return Path(make_once("exports", make)) / place / file

    return find


@pytest.fixture(scope="module")
def count_same(count_equal: Any) -> Callable[[Detections, Detections], int]:
    """Asserts that both found the same, within 0.5 px and 0.002 of score; how many rows that were."""
    return lambda found, expected: count_equal(found, expected.xyxy, expected.score, expected.class_id, max_score=2e-3)


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_rtdetr_export_equals_checkpoint(
    read_street: Any, rtdetr_weights: Path, exported: Any, to_frame: Any, count_same: Any, kind: Format
) -> None:
    checkpoint, export = open_exported(rtdetr_weights, "pt"), open_exported(exported(f"rtdetr-{kind}"), kind)
    total = 0
    for bgr in read_street((540, 960)):
        found = detect(export, bgr, to_frame)
        total += count_same(found, detect(checkpoint, bgr, to_frame))
        assert found.query_id is None
    assert total >= 40


@pytest.mark.parametrize("dynamic", [False, True])
def test_yolo_export_equals_checkpoint(
    ultralytics_assets: Path, save_yolo: Any, exported: Any, to_frame: Any, count_same: Any, dynamic: bool
) -> None:
    """A fixed export letterboxes to its square; a dynamic one to each picture's rectangle, as the checkpoint does."""
    weights = save_yolo("yolov8n")
    bgr = cv2.imread(str(ultralytics_assets / "bus.jpg"))
    detector = open_exported(exported("dynamic" if dynamic else "fixed"), "onnx")
    assert detector.plan((1080, 810)).net_hw == ((320, 256) if dynamic else (320, 320))
    batch = detector.collate([to_frame(bgr)], [detector.fit(bgr)])
    found = detector.decode(detector.infer(batch), batch.resizes, Thresholds(conf=0.05))[0]
    torch_detector = open_detector(
        WeightsFile(weights, "", "pt", "local"), EngineOptions(device="cpu", imgsz_hw=(320, 320))
    )
    raw = torch_detector.infer(batch)
    expected = torch_detector.decode(raw, batch.resizes, Thresholds(conf=0.05))[0]
    assert count_same(found, expected) >= 20
    assert found.query_id is not None


def test_coco_model_finds_people_and_bus(shared: Path, ultralytics_assets: Path, to_frame: Any) -> None:
    detector = open_exported(shared / "models" / "yolov8n_int8_openvino_model", "openvino")
    found = detect(detector, cv2.imread(str(ultralytics_assets / "bus.jpg")), to_frame)
    assert Counter(detector.info.class_names[int(c)] for c in found.class_id) == {"person": 4, "bus": 1}
    assert (detector.info.precision, detector.info.family) == ("int8", "cnn")


@pytest.fixture
def openvino_folder(exported: Any) -> Path:
    """The embedded YOLO as an OpenVINO folder for 320×320."""
    folder: Path = exported("openvino")
    return folder


def test_openvino_run_imports_neither_torch_nor_ultralytics(openvino_folder: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from detectattn.engines import open_detector\n"
        "from detectattn.engines.base import EngineOptions\n"
        "from detectattn.types import WeightsFile\n"
        f"folder = Path({str(openvino_folder)!r})\n"
        "open_detector(WeightsFile(folder, '', 'openvino', 'local'), EngineOptions())\n"
        "print([m for m in ('torch', 'ultralytics', 'openvino_telemetry') if sys.modules.get(m)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_fixed_size_is_named(openvino_folder: Path) -> None:
    weights = WeightsFile(openvino_folder, "", "openvino", "local")
    with pytest.raises(BadImageSize, match="exported for 320×320"):
        open_detector(weights, EngineOptions(imgsz_hw=(640, 640)))
    with pytest.raises(DeviceNotFound, match="'cuda'"):
        open_detector(weights, EngineOptions(device="cuda"))
    with pytest.raises(EngineError, match="engine 'torch'"):
        open_detector(weights, EngineOptions(), engine="torch")


@pytest.mark.parametrize("damage", ["empty", "no-bin", "no-metadata", "text"])
def test_damaged_openvino_folder(openvino_folder: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(openvino_folder, folder)
    name = "demo-yolo"
    remove = {"empty": [f"{name}.xml"], "no-bin": [f"{name}.bin"], "no-metadata": ["metadata.yaml"], "text": []}[damage]
    for file in remove:
        (folder / file).unlink()
    if damage == "text":
        (folder / f"{name}.xml").write_text("not xml")
    with pytest.raises(CorruptWeights):
        open_detector(WeightsFile(folder, "", "openvino", "local"), EngineOptions())


def test_damaged_onnx(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(CorruptWeights, match="no ONNX model, or damaged"):
        open_detector(WeightsFile(path, "", "onnx", "local"), EngineOptions())


@pytest.mark.parametrize(
    "change",
    [
        {"stride": 0},
        {"stride": "many"},
        {"stride": float("inf")},
        {"imgsz": "large"},
        {"imgsz": []},
        {"imgsz": [10**30, 10**30]},
        {"detectattn": {"layout": "rtdetr_dense", "max_det": "many"}},
    ],
    ids=str,
)
def test_numbers_in_metadata_that_are_none_are_named(change: dict[str, Any]) -> None:
    metadata = {"description": "rtdetr-l", "imgsz": [640, 640], "stride": 32, **change}
    with pytest.raises(CorruptWeights, match=r"model has no whole number .* in its metadata"):
        read_spec(
            metadata, {0: "a", 1: "b"}, input_shape=[1, 3, None, None], output_shape=[1, None, None],
            options=EngineOptions(), where="model", engine="onnx", device="cpu", precision="fp32",
        )  # fmt: skip
