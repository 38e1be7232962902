"""Real models in processes of their own."""

from __future__ import annotations

import os
import signal
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest

from detectattn.compare import messages as msg
from detectattn.compare.child import Child
from detectattn.compare.pictures import PictureFile, open_pictures, write_pictures
from detectattn.compare.speed import SpeedPlan, measure_speed
from detectattn.engines.base import EngineOptions
from detectattn.errors import CorruptWeights, EngineError
from detectattn.types import Frame, Media, WeightsFile

YOLO = "yolov8n_int8_openvino_model"
RTDETR = "rtdetr_shapes/rtdetr-shapes.pt"


@pytest.fixture
def pictures(shared: Path, ultralytics_assets: Path, tmp_path: Path) -> PictureFile:
    paths = [ultralytics_assets / "bus.jpg", *sorted((shared / "data/shapes/images").glob("*.jpg"))[:2]]
    frames = [Frame(Media(p.name, "image", p, PurePosixPath(p.name)), 0, cv2.imread(str(p))) for p in paths]
    return write_pictures(tmp_path / "pictures.bin", [(frame, float(i)) for i, frame in enumerate(frames)])


def open_child(shared: Path, pictures: PictureFile, name: str, *, square: bool = True) -> Child:
    kind = "pt" if name.endswith(".pt") else "openvino"
    weights = WeightsFile(shared / "models" / name, "", kind, "local")
    options = EngineOptions(device="cpu", square=square)
    return Child(msg.WorkerSpec(name[:6], weights, options, "auto", pictures.path))


def test_pictures_survive_the_file(pictures: PictureFile, ultralytics_assets: Path) -> None:
    found = open_pictures(pictures.path)
    np.testing.assert_array_equal(found[0], cv2.imread(str(ultralytics_assets / "bus.jpg")))
    assert [p.shape[:2] for p in found] == list(pictures.sizes_hw)
    assert pictures.decode_ms == (0.0, 1.0, 2.0)


def test_two_models_by_turns(shared: Path, pictures: PictureFile) -> None:
    with open_child(shared, pictures, YOLO) as yolo, open_child(shared, pictures, RTDETR) as rtdetr:
        assert (yolo.loaded.info.family, rtdetr.loaded.info.family) == ("cnn", "attention")
        assert yolo.loaded.net_pixels == (640 * 640,) * 3
        assert rtdetr.loaded.params_m == pytest.approx(3.1, abs=0.1)
        assert yolo.loaded.params_m is None
        assert (yolo.loaded.weights_mb, rtdetr.loaded.weights_mb) == pytest.approx((3.74, 6.56), abs=0.01)
        samples = measure_speed([yolo, rtdetr], SpeedPlan(2, (0, 1, 2)))
        for child in (yolo, rtdetr):
            assert [len(turn.forward_ms) for turn in samples[child.name].rounds] == [3, 3]
            assert min(v for turn in samples[child.name].rounds for v in turn.total_ms) > 0
            assert child.ask(msg.AskMemory(), msg.PeakMemory).rss_mb > 50
        # The OpenVINO export takes one picture at a time; PyTorch any number.
        assert list(samples[yolo.name].images_per_s) == [1]
        assert len(samples[rtdetr.name].images_per_s) >= 2
        found = yolo.ask(msg.Detect((0,), 0.25, 0.7, 300), msg.Detected).detections[0]
        assert len(found) >= 5


def test_models_that_cannot_be_loaded_say_why(shared: Path, pictures: PictureFile, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"no weights")
    weights = WeightsFile(broken, "", "pt", "local")
    with pytest.raises(CorruptWeights, match=r"broken\.pt"):
        Child(msg.WorkerSpec("broken", weights, EngineOptions(device="cpu"), "auto", pictures.path))


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_child_that_dies_is_an_error_and_not_a_hang(shared: Path, pictures: PictureFile) -> None:
    with open_child(shared, pictures, YOLO) as child:
        os.kill(child._process.pid or 0, signal.SIGKILL)
        with pytest.raises(EngineError, match="ended by signal 9"):
            child.ask(msg.AskMemory(), msg.PeakMemory)
