"""The same weights, size and thresholds give the peer's boxes and scores: RT-DETR and YOLO, single and batched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.types import Detections, WeightsFile
from detectattn.weights.locate import locate_weights

MIN_ROWS = 50
# Enough for three levels of anchors and a rectangle that is no square.
SIDE_PX = 384


def load(weights: Path) -> WeightsFile:
    return WeightsFile(weights, "", "pt", "local")


def open_ours(weights: WeightsFile, size: int, batch: int = 1) -> Detector:
    return open_detector(weights, EngineOptions(device="cpu", imgsz_hw=(size, size), batch=batch))


def detect(detector: Detector, images: list[np.ndarray], to_frame: Any, conf: float, batch: int = 1) -> list[Any]:
    """Our detections of images that share one shape."""
    found: list[Detections] = []
    for start in range(0, len(images), batch):
        group = images[start : start + batch]
        prepared = detector.collate([to_frame(bgr) for bgr in group], [detector.fit(bgr) for bgr in group])
        found += detector.decode(detector.infer(prepared), prepared.resizes, Thresholds(conf=conf))
    return found


@pytest.fixture(scope="module")
def count_rows(count_equal: Any) -> Callable[[Detections, Any], int]:
    """Asserts that ours are the peer's, within 0.5 px and 0.001 of score; how many rows that were."""
    return lambda ours, peer: count_equal(
        ours, peer.boxes.xyxy.numpy(), peer.boxes.conf.numpy(), peer.boxes.cls.numpy().astype(int)
    )


def read_assets(folder: Path) -> list[np.ndarray]:
    return [cv2.imread(str(folder / name)) for name in ("bus.jpg", "zidane.jpg")]


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("size_hw", [(540, 960), (720, 720)], ids=str)
@pytest.mark.parametrize(("name", "family"), [("demo-rtdetr", "attention"), ("demo-yolo", "cnn")])
def test_embedded_pair_equals_peer_on_street_scenes(
    name: str, family: str, size_hw: tuple[int, int], batch: int,
    read_street: Any, save_checkpoint: Any, peer_predict: Any, to_frame: Any, count_rows: Any,
) -> None:  # fmt: skip
    """The shipped file here, the same weights as a checkpoint there."""
    images = read_street(size_hw)
    shipped = locate_weights(name, offline=True, on_notice=print)
    ours = detect(open_ours(shipped, 320, batch), images, to_frame, conf=0.25, batch=batch)
    theirs = peer_predict(save_checkpoint(name), images, family=family, conf=0.25, imgsz=320)
    assert sum(count_rows(o, t) for o, t in zip(ours, theirs, strict=True)) >= MIN_ROWS


def test_rtdetr_checkpoint_equals_peer_on_photos(
    ultralytics_assets: Path, rtdetr_weights: Path, peer_predict: Any, to_frame: Any, count_rows: Any
) -> None:
    """Photographs are nothing to this model, so a low threshold keeps enough rows; neither picture is square."""
    detector = open_ours(load(rtdetr_weights), 256)
    for bgr in read_assets(ultralytics_assets):
        ours = detect(detector, [bgr], to_frame, conf=0.02)
        theirs = peer_predict(rtdetr_weights, [bgr], family="attention", conf=0.02, imgsz=256)
        assert count_rows(ours[0], theirs[0]) >= MIN_ROWS


def choose_conf(scores: list[np.ndarray]) -> float:
    """A threshold that keeps 80 to 100 rows of the picture with the fewest, as far from any score as there is one."""
    ranked = [np.sort(each)[::-1] for each in scores]
    low, high = min((each[99], each[79]) for each in ranked)
    between = np.sort(np.concatenate([each[(each >= low) & (each <= high)] for each in ranked]))
    widest = int(np.argmax(np.diff(between)))
    return float(between[widest : widest + 2].mean())


@pytest.fixture
def check_yolo(peer_predict: Any, to_frame: Any, count_rows: Any) -> Callable[..., None]:
    """``check_yolo(weights, groups, batch)`` compares at the threshold that keeps some 80 rows of the poorest picture.

    The pictures of a group share one shape and are asked for together.
    """

    def check(path: Path, groups: list[list[np.ndarray]], batch: int) -> None:
        detector = open_ours(load(path), SIDE_PX, batch)
        for images in groups:
            conf = choose_conf([found.score for found in detect(detector, images, to_frame, 0.01, batch)])
            ours = detect(detector, images, to_frame, conf=conf, batch=batch)
            theirs = peer_predict(path, images, family="cnn", conf=conf, imgsz=SIDE_PX)
            assert min(count_rows(o, t) for o, t in zip(ours, theirs, strict=True)) >= MIN_ROWS

    return check


@pytest.mark.parametrize("name", ["yolov8n", "yolo11n", "yolo12n", "yolo26n"])
def test_yolo_equals_peer(
    ultralytics_assets: Path, save_yolo: Callable[[str], Path], check_yolo: Any, name: str
) -> None:
    check_yolo(save_yolo(name), [[bgr] for bgr in read_assets(ultralytics_assets)], 1)


def test_yolo_batch_equals_peer(ultralytics_assets: Path, save_yolo: Callable[[str], Path], check_yolo: Any) -> None:
    """Pictures of one shape go through together, in their own rectangle, as the peer does."""
    bus = read_assets(ultralytics_assets)[0]
    images = [bus, np.ascontiguousarray(bus[:, ::-1]), np.ascontiguousarray(bus[::-1])]
    check_yolo(save_yolo("yolo11n"), [images], 4)


def test_square_picture_equals_peer(
    ultralytics_assets: Path, save_yolo: Callable[[str], Path], check_yolo: Any
) -> None:
    square = np.ascontiguousarray(read_assets(ultralytics_assets)[0][:800, :800])
    check_yolo(save_yolo("yolov8n"), [[square]], 1)
