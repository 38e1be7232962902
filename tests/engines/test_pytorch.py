"""What the PyTorch engine promises beside parity: traceable rows, sizes, devices, batches that do not matter."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from detectattn.engines import open_detector, pytorch
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.engines.pytorch import TorchEngine
from detectattn.errors import BadImageSize, DeviceNotFound, EngineError, OutOfMemory
from detectattn.matching import match_boxes
from detectattn.types import Detections, WeightsFile
from samples.scenes import CLASS_NAMES


def load(path: Path, **options: Any) -> Detector:
    return open_detector(WeightsFile(path, "", "pt", "local"), EngineOptions(device="cpu", **options))


def test_query_id_leads_back_to_the_decoders_row(read_street: Any, rtdetr_weights: Path, to_frame: Any) -> None:
    detector = load(rtdetr_weights)
    bgr = read_street((540, 960))[0]
    batch = detector.collate([to_frame(bgr)], [detector.fit(bgr)])
    found = detector.decode(detector.infer(batch), batch.resizes, Thresholds())[0]
    assert isinstance(detector.engine, TorchEngine)
    with torch.inference_mode():
        _, (boxes, scores, *_) = detector.engine.model(torch.from_numpy(batch.tensor))
    assert len(found) >= 5
    assert found.query_id is not None
    for row, query, class_id in zip(range(len(found)), found.query_id, found.class_id, strict=True):
        assert float(scores[-1, 0, query, class_id].sigmoid()) == pytest.approx(float(found.score[row]), abs=1e-5)
        cx, cy, w, h = (boxes[-1, 0, query] * torch.tensor([960, 540, 960, 540])).tolist()
        expected = [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]
        np.testing.assert_allclose(found.xyxy[row], expected, atol=0.01)


def test_model_takes_its_trained_size_and_family(rtdetr_weights: Path) -> None:
    detector = load(rtdetr_weights)
    assert detector.info.net_hw == (320, 320)
    assert detector.info.family == "attention"
    assert tuple(detector.info.class_names.values()) == CLASS_NAMES


@pytest.mark.parametrize(("name", "family"), [("yolov8n", "cnn"), ("yolo11n", "hybrid"), ("yolo12n", "hybrid")])
def test_family_follows_from_the_modules(save_yolo: Any, name: str, family: str) -> None:
    assert load(save_yolo(name)).info.family == family


def test_result_does_not_depend_on_batch_mates_or_place(read_street: Any, rtdetr_weights: Path, to_frame: Any) -> None:
    detector = load(rtdetr_weights, batch=4)
    pictures = read_street((720, 720))

    def detect_first_of(group: list[np.ndarray], place: int) -> Detections:
        batch = detector.collate([to_frame(p) for p in group], [detector.fit(p) for p in group])
        assert batch.tensor.shape[0] == 4
        return detector.decode(detector.infer(batch), batch.resizes, Thresholds())[place]

    alone = detect_first_of(pictures[1:2], 0)
    assert len(alone) >= 5
    for group, place in ((pictures, 1), (pictures[::-1], 2), (pictures[:2], 1)):
        other = detect_first_of(group, place)
        np.testing.assert_array_equal(np.round(other.xyxy, 2), np.round(alone.xyxy, 2))
        np.testing.assert_array_equal(np.round(other.score, 5), np.round(alone.score, 5))
        assert other.query_id is not None
        assert alone.query_id is not None
        assert other.query_id.tolist() == alone.query_id.tolist()


def test_sizes_that_cannot_be_are_refused_with_the_nearest(rtdetr_weights: Path) -> None:
    with pytest.raises(BadImageSize, match="The nearest that it can take is 320×640"):
        load(rtdetr_weights, imgsz_hw=(325, 650))


def test_absent_device_names_those_there_are(rtdetr_weights: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(DeviceNotFound, match=r"'cuda' is not there .* sees cpu"):
        open_detector(WeightsFile(rtdetr_weights, "", "pt", "local"), EngineOptions(device="cuda"))


def test_too_little_memory_is_told_as_such_on_the_cpu_too(rtdetr_weights: Path, monkeypatch: Any) -> None:
    engine = load(rtdetr_weights).engine
    assert isinstance(engine, TorchEngine)
    pixels = np.zeros((2, 3, 64, 96), np.float32)
    monkeypatch.setattr(engine, "model", lambda _: torch.empty(1 << 46))
    with pytest.raises(OutOfMemory, match="cpu has too little memory for a batch of 2 at 64×96"):
        engine.infer(pixels)
    monkeypatch.setattr(engine, "model", lambda _: torch.zeros(2) @ torch.zeros(3))
    with pytest.raises(RuntimeError, match="size"):
        engine.infer(pixels)


def test_threads_do_not_mix_up_each_others_sizes(save_yolo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of these two sizes the anchors are as many, but elsewhere, and the head keeps those of the latest call."""
    engine = load(save_yolo("yolov8n")).engine
    assert isinstance(engine, TorchEngine)
    pixels = [np.random.default_rng(0).random((1, 3, *size), np.float32) for size in ((96, 128), (128, 96))]
    expected = [engine.infer(tensor)[0] for tensor in pixels]
    model, inside, most = engine.model, [0], [0]

    def watch(tensor: torch.Tensor) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.01)  # the other thread comes meanwhile
        outputs = model(tensor)
        inside[0] -= 1
        return outputs

    monkeypatch.setattr(engine, "model", watch)
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda turn: engine.infer(pixels[turn % 2])[0], range(8)))
    assert most == [1]
    for turn, output in enumerate(found):
        np.testing.assert_allclose(output, expected[turn % 2], atol=1e-3)


def test_what_a_runtime_says_when_a_model_is_opened(rtdetr_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(error: Exception) -> Any:
        raise error

    for error, expected in (
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"), OutOfMemory),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), OutOfMemory),
        (RuntimeError("CUDA error: the provided PTX was compiled with an unsupported toolchain"), EngineError),
        (AttributeError("a fault of ours"), AttributeError),
    ):
        monkeypatch.setattr(pytorch, "check_size", lambda *_, error=error: fail(error))
        with pytest.raises(expected):
            load(rtdetr_weights)


def test_single_precision_is_not_rounded_on_a_gpu(rtdetr_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    load(rtdetr_weights)
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_half_precision_needs_a_gpu(rtdetr_weights: Path) -> None:
    with pytest.raises(EngineError, match="'fp16'"):
        load(rtdetr_weights, precision="fp16")


@pytest.mark.parametrize("name", ["demo-rtdetr", "demo-yolo"])
def test_half_precision_runs_through_the_whole_model(
    name: str, save_checkpoint: Any, read_street: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the CPU in a GPU's place: no layer, attention's sampling points among them, mixes precisions."""

    def sample(values: torch.Tensor, grid: torch.Tensor, **how: Any) -> torch.Tensor:
        assert values.dtype == grid.dtype
        return grid_sample(values.float(), grid.float(), **how).to(values.dtype)

    # PyTorch 2.13 samples wrongly in half precision on the CPU, by several times the largest value.
    grid_sample = torch.nn.functional.grid_sample
    monkeypatch.setattr(torch.nn.functional, "grid_sample", sample)
    path, bgr = save_checkpoint(name), read_street((540, 960))[0]
    exact = load(path)
    monkeypatch.setattr(pytorch, "_wants_half", lambda *_: True)
    half = load(path)
    assert half.info.precision == "fp16"
    assert {parameter.dtype for parameter in half.engine.model.parameters()} == {torch.float16}  # type: ignore[attr-defined]
    planes, resize = exact.fit(bgr)
    found, expected = (
        detector.decode(detector.engine.infer(planes[None]), (resize,), Thresholds())[0] for detector in (half, exact)
    )
    assert len(expected) >= 5
    matches = match_boxes(expected, found, 0.9)
    assert len(matches.pairs) >= 0.8 * len(expected)
    assert np.abs(expected.score[matches.pairs[:, 0]] - found.score[matches.pairs[:, 1]]).max() < 0.03


@pytest.mark.parametrize("name", ["demo-rtdetr", "demo-yolo"])
def test_nothing_is_computed_in_double_precision(name: str, save_checkpoint: Any) -> None:
    """Apple's MPS has none, and raises."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Watch(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[str] = []
            self.count = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            self.count += 1
            if any(isinstance(leaf, torch.Tensor) and leaf.dtype == torch.float64 for leaf in tree_leaves(result)):
                self.seen.append(str(func))
            return result

    engine = load(save_checkpoint(name), imgsz_hw=(96, 128)).engine
    with Watch() as watch:
        engine.infer(np.zeros((1, 3, 96, 128), np.float32))
    assert watch.count > 100
    assert watch.seen == []


def test_all_cores_are_used(rtdetr_weights: Path) -> None:
    import os

    load(rtdetr_weights)
    assert torch.get_num_threads() == len(os.sched_getaffinity(0))


def test_neither_torchvision_nor_one_thread(rtdetr_weights: Path) -> None:
    """In a fresh process: detection needs no torchvision and leaves no thread limit for child processes."""
    import subprocess
    import sys

    code = (
        "import os, sys, numpy as np\n"
        "os.environ.pop('OMP_NUM_THREADS', None)\n"
        "sys.modules['torchvision'] = None\n"
        "from pathlib import Path\n"
        "from detectattn.engines import open_detector\n"
        "from detectattn.engines.base import EngineOptions\n"
        "from detectattn.types import WeightsFile\n"
        f"d = open_detector(WeightsFile(Path({str(rtdetr_weights)!r}), '', 'pt', 'local'), EngineOptions())\n"
        "d.engine.infer(np.zeros((1, 3, 320, 320), np.float32))\n"
        "print(os.environ.get('OMP_NUM_THREADS'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


def test_full_size_rtdetr_loads_and_runs(save_yolo: Any, to_frame: Any) -> None:
    """RT-DETR-L as Ultralytics saves it; its weights are random, so it serves for loading and shapes alone."""
    detector = load(save_yolo("rtdetr-l"), imgsz_hw=(320, 320))
    bgr = np.full((240, 400, 3), 90, np.uint8)
    batch = detector.collate([to_frame(bgr)], [detector.fit(bgr)])
    boxes, scores = detector.infer(batch)
    assert (boxes.shape, scores.shape) == ((1, 300, 4), (1, 300, 80))
    assert detector.info.family == "attention"
    assert len(detector.decode((boxes, scores), batch.resizes, Thresholds(conf=0.0))[0]) == 300
