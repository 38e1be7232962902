"""Real models in processes of their own."""

from __future__ import annotations

import os
import signal
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest

from detectattn.compare import messages as msg
from detectattn.compare import speed
from detectattn.compare.child import Child
from detectattn.compare.pictures import PictureFile, open_pictures, write_pictures
from detectattn.compare.speed import SpeedPlan, measure_speed
from detectattn.engines.base import EngineOptions
from detectattn.errors import CorruptWeights, EngineError
from detectattn.types import Frame, Media, WeightsFile
from detectattn.weights.embedded import embedded_path
from detectattn.weights.locate import locate_weights
from tests.compare.tiny_onnx import write_tiny_onnx

YOLO, RTDETR = "demo-yolo", "demo-rtdetr"


@pytest.fixture
def pictures(street_images: Path, tmp_path: Path) -> PictureFile:
    paths = [street_images / name for name in ("noon.jpg", "overcast.jpg", "avenue.jpg")]
    frames = [Frame(Media(p.name, "image", p, PurePosixPath(p.name)), 0, cv2.imread(str(p))) for p in paths]
    return write_pictures(tmp_path / "pictures.bin", [(frame, float(i)) for i, frame in enumerate(frames)])


def open_child(pictures: PictureFile, name: str, weights: WeightsFile | None = None) -> Child:
    shipped = weights or locate_weights(name, offline=True, on_notice=print)
    options = EngineOptions(device="cpu", square=True, threads=1)
    return Child(msg.WorkerSpec(name, shipped, options, "auto", pictures.path))


def test_pictures_survive_the_file(pictures: PictureFile, noon: Path) -> None:
    found = open_pictures(pictures.path)
    np.testing.assert_array_equal(found[0], cv2.imread(str(noon)))
    assert [p.shape[:2] for p in found] == list(pictures.sizes_hw)
    assert pictures.decode_ms == (0.0, 1.0, 2.0)


def test_two_models_by_turns(pictures: PictureFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_WARM_BLOCK", 1)
    monkeypatch.setattr(speed, "_BATCHES", (1, 2))
    with open_child(pictures, YOLO) as yolo, open_child(pictures, RTDETR) as rtdetr:
        assert (yolo.loaded.info.family, rtdetr.loaded.info.family) == ("hybrid", "attention")
        samples, failed = measure_speed([yolo, rtdetr], SpeedPlan(2, (0, 1, 2)))
        assert failed == {}
        for child in (yolo, rtdetr):
            assert child.loaded.net_pixels == (320 * 320,) * 3
            assert child.loaded.params_m == pytest.approx(2.6, abs=0.3)
            assert child.loaded.gflops == pytest.approx(1.7, abs=0.15)
            assert child.loaded.weights_mb == pytest.approx(embedded_path(child.name).stat().st_size / 1e6)
            assert [len(turn.forward_ms) for turn in samples[child.name].rounds] == [3, 3]
            assert min(v for turn in samples[child.name].rounds for v in turn.total_ms) > 0
            assert len(samples[child.name].images_per_s) >= 2
            assert 50 < samples[child.name].memory.rss_mb < 1_000
            found = child.ask(msg.Detect((0,), 0.25, 0.7, 300), msg.Detected).detections[0]
            assert len(found) >= 5


def test_an_export_takes_the_batch_that_it_was_made_for(shared: Path, pictures: PictureFile) -> None:
    weights = WeightsFile(shared / "models" / "yolov8n_int8_openvino_model", "", "openvino", "local")
    with open_child(pictures, "int8", weights) as child:
        assert (child.loaded.info.family, child.loaded.params_m) == ("cnn", None)
        assert child.loaded.weights_mb == pytest.approx(3.74, abs=0.01)
        samples, _ = measure_speed([child], SpeedPlan(2, (0, 1, 2)))
        assert list(samples[child.name].images_per_s) == [1]


def test_models_that_cannot_be_loaded_say_why(pictures: PictureFile, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no weights")
    with pytest.raises(CorruptWeights, match=r"broken\.onnx"):
        open_child(pictures, "broken", WeightsFile(broken, "", "onnx", "local"))


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_child_that_dies_is_an_error_and_not_a_hang(pictures: PictureFile, tmp_path: Path) -> None:
    with open_child(pictures, "tiny", write_tiny_onnx(tmp_path)) as child:
        os.kill(child._process.pid or 0, signal.SIGKILL)
        with pytest.raises(EngineError, match="ended by signal 9"):
            child.ask(msg.AskMemory(), msg.PeakMemory)
