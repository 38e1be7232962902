"""The same weights, size and thresholds give the peer's boxes and scores: RT-DETR and YOLO, single and batched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detectattn.boxes import compute_iou
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.postprocess import Thresholds
from detectattn.types import Detections, WeightsFile

MAX_BOX_PX = 0.5
MAX_SCORE = 1e-3
MIN_ROWS = 50


def detect(weights: Path, images: list[np.ndarray], to_frame: Any, conf: float, size: int, batch: int = 1) -> list[Any]:
    """Our detections of images that share one shape."""
    options = EngineOptions(device="cpu", imgsz_hw=(size, size), batch=batch)
    detector = open_detector(WeightsFile(weights, "", "pt", "local"), options)
    found: list[Detections] = []
    for start in range(0, len(images), batch):
        group = images[start : start + batch]
        prepared = detector.collate([to_frame(bgr) for bgr in group], [detector.fit(bgr) for bgr in group])
        found += detector.decode(detector.infer(prepared), prepared.resizes, Thresholds(conf=conf))
    return found


def count_equal(ours: Detections, peer: Any) -> int:
    """Rows matched by class and IoU, each within the tolerances; every row of the peer's must have its own."""
    xyxy, score = peer.boxes.xyxy.numpy(), peer.boxes.conf.numpy()
    class_id = peer.boxes.cls.numpy().astype(int)
    assert len(ours) == len(score)
    free = np.ones(len(ours), bool)
    for row in range(len(score)):
        candidates = np.flatnonzero(free & (ours.class_id == class_id[row]))
        # Boxes of one query or anchor neighbourhood coincide; among those the score tells which is which.
        overlap = compute_iou(xyxy[row : row + 1].astype(np.float32), ours.xyxy[candidates])[0]
        near = candidates[overlap >= overlap.max() - 1e-3]
        match = near[np.argmin(np.abs(ours.score[near] - score[row]))]
        free[match] = False
        np.testing.assert_allclose(ours.xyxy[match], xyxy[row], atol=MAX_BOX_PX)
        assert abs(ours.score[match] - score[row]) < MAX_SCORE
    return len(score)


def read_assets(folder: Path) -> list[np.ndarray]:
    return [cv2.imread(str(folder / name)) for name in ("bus.jpg", "zidane.jpg")]


def read_shapes(shared: Path, count: int) -> list[np.ndarray]:
    return [cv2.imread(str(path)) for path in sorted((shared / "data/shapes/images").glob("*.jpg"))[:count]]


@pytest.mark.parametrize("batch", [1, 4])
def test_rtdetr_equals_peer_on_shapes(
    shared: Path, rtdetr_weights: Path, peer_predict: Any, to_frame: Any, batch: int
) -> None:
    images = read_shapes(shared, 16)
    ours = detect(rtdetr_weights, images, to_frame, conf=0.25, size=256, batch=batch)
    theirs = peer_predict(rtdetr_weights, images, family="attention", conf=0.25, imgsz=256)
    assert sum(count_equal(o, t) for o, t in zip(ours, theirs, strict=True)) >= MIN_ROWS


def test_rtdetr_equals_peer_on_photos(
    ultralytics_assets: Path, rtdetr_weights: Path, peer_predict: Any, to_frame: Any
) -> None:
    """Photographs are nothing to this model, so a low threshold keeps enough rows; neither picture is square."""
    for bgr in read_assets(ultralytics_assets):
        ours = detect(rtdetr_weights, [bgr], to_frame, conf=0.02, size=320)
        theirs = peer_predict(rtdetr_weights, [bgr], family="attention", conf=0.02, imgsz=320)
        assert count_equal(ours[0], theirs[0]) >= MIN_ROWS


def assert_yolo_parity(weights: Path, images: list[np.ndarray], to_frame: Any, peer_predict: Any, batch: int) -> None:
    """Compare at the threshold that keeps some 80 rows of the picture with the fewest."""
    everything = detect(weights, images, to_frame, conf=0.01, size=640, batch=batch)
    conf = float(min(np.sort(found.score)[::-1][:80][-1] for found in everything)) - 1e-4
    ours = detect(weights, images, to_frame, conf=conf, size=640, batch=batch)
    theirs = peer_predict(weights, images, family="cnn", conf=conf, imgsz=640)
    assert min(count_equal(o, t) for o, t in zip(ours, theirs, strict=True)) >= MIN_ROWS


@pytest.mark.parametrize("name", ["yolov8n", "yolo11n", "yolo12n", "yolo26n"])
def test_yolo_equals_peer(
    ultralytics_assets: Path, save_yolo: Callable[[str], Path], peer_predict: Any, to_frame: Any, name: str
) -> None:
    weights = save_yolo(name)
    for bgr in read_assets(ultralytics_assets):
        assert_yolo_parity(weights, [bgr], to_frame, peer_predict, batch=1)


def test_yolo_batch_equals_peer(
    ultralytics_assets: Path, save_yolo: Callable[[str], Path], peer_predict: Any, to_frame: Any
) -> None:
    """Pictures of one shape go through together, in their own rectangle, as the peer does."""
    weights = save_yolo("yolo11n")
    bus = read_assets(ultralytics_assets)[0]
    images = [bus, np.ascontiguousarray(bus[:, ::-1]), np.ascontiguousarray(bus[::-1])]
    assert_yolo_parity(weights, images, to_frame, peer_predict, batch=4)


def test_square_picture_equals_peer(
    ultralytics_assets: Path, save_yolo: Callable[[str], Path], peer_predict: Any, to_frame: Any
) -> None:
    weights = save_yolo("yolov8n")
    square = np.ascontiguousarray(read_assets(ultralytics_assets)[0][:800, :800])
    assert_yolo_parity(weights, [square], to_frame, peer_predict, batch=1)
