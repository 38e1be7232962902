"""Exported models find what their checkpoint finds, without PyTorch."""

from __future__ import annotations

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
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import BadImageSize, CorruptWeights, DeviceNotFound, EngineError
from detectattn.types import Detections, WeightsFile

Format = Literal["pt", "onnx", "openvino"]


def detect(path: Path, kind: Format, bgr: np.ndarray, to_frame: Any, conf: float = 0.25) -> Detections:
    detector = open_detector(WeightsFile(path, "", kind, "local"), EngineOptions(device="cpu"))
    batch = detector.collate([to_frame(bgr)], [detector.fit(bgr)])
    return detector.decode(detector.infer(batch), batch.resizes, Thresholds(conf=conf))[0]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], Path]:
    """Ultralytics' own export of a checkpoint, in a process of its own."""

    def run(weights: Path, kind: str, **options: Any) -> Path:
        folder = tmp_path_factory.mktemp(f"export-{kind}")
        copied = folder / weights.name
        shutil.copyfile(weights, copied)
        code = (
            "import sys\n"
            "sys.modules['openvino_telemetry'] = None\n"
            "from detectattn.weights.ultralytics_env import import_ultralytics_tasks as load; load()\n"
            "from ultralytics import RTDETR, YOLO\n"
            f"kind = RTDETR if 'rtdetr' in {weights.name!r} else YOLO\n"
            f"kind({str(copied)!r}).export(format={kind!r}, **{options!r})\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        name = f"{weights.stem}_openvino_model" if kind == "openvino" else f"{weights.stem}.onnx"
        return folder / name

    return run


@pytest.fixture(scope="module")
def count_same(count_equal: Any) -> Callable[[Detections, Detections], int]:
    """Asserts that both found the same, within 0.5 px and 0.002 of score; how many rows that were."""
    return lambda found, expected: count_equal(found, expected.xyxy, expected.score, expected.class_id, max_score=2e-3)


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_rtdetr_export_equals_checkpoint(
    read_street: Any, rtdetr_weights: Path, export: Any, to_frame: Any, count_same: Any, kind: Format
) -> None:
    exported = export(rtdetr_weights, kind, imgsz=320, **({"simplify": False} if kind == "onnx" else {}))
    total = 0
    for bgr in read_street((540, 960)):
        expected = detect(rtdetr_weights, "pt", bgr, to_frame)
        found = detect(exported, kind, bgr, to_frame)
        total += count_same(found, expected)
        assert found.query_id is None
    assert total >= 40


@pytest.mark.parametrize("dynamic", [False, True])
def test_yolo_export_equals_checkpoint(
    ultralytics_assets: Path, save_yolo: Any, export: Any, to_frame: Any, count_same: Any, dynamic: bool
) -> None:
    """A fixed export letterboxes to its square; a dynamic one to each picture's rectangle, as the checkpoint does."""
    weights = save_yolo("yolov8n")
    exported = export(weights, "onnx", imgsz=320, dynamic=dynamic, simplify=False)
    bgr = cv2.imread(str(ultralytics_assets / "bus.jpg"))
    detector = open_detector(WeightsFile(exported, "", "onnx", "local"), EngineOptions(device="cpu"))
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
    folder = shared / "models" / "yolov8n_int8_openvino_model"
    found = detect(folder, "openvino", cv2.imread(str(ultralytics_assets / "bus.jpg")), to_frame)
    detector = open_detector(WeightsFile(folder, "", "openvino", "local"), EngineOptions())
    assert Counter(detector.info.class_names[int(c)] for c in found.class_id) == {"person": 4, "bus": 1}
    assert (detector.info.precision, detector.info.family) == ("int8", "cnn")


@pytest.fixture(scope="module")
def openvino_folder(export: Any, save_checkpoint: Any) -> Path:
    """The embedded YOLO as an OpenVINO folder for 320×320."""
    folder: Path = export(save_checkpoint("demo-yolo"), "openvino", imgsz=320)
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
