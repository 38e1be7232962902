"""Models to compare engines on, and the peer to compare with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import pytest

from detectattn.boxes import compute_iou
from detectattn.types import Detections, Frame, Media
from detectattn.weights.ultralytics_env import import_ultralytics_tasks


@pytest.fixture(scope="session")
def rtdetr_weights(save_checkpoint: Callable[[str], Path]) -> Path:
    """The embedded RT-DETR as Ultralytics saves one."""
    return save_checkpoint("demo-rtdetr")


@pytest.fixture(scope="session")
def read_street(street_images: Path) -> Callable[[tuple[int, int]], list[Any]]:
    """Reads the street scenes of one height and width, in order, BGR."""

    def read(size_hw: tuple[int, int]) -> list[Any]:
        pictures = [cv2.imread(str(path)) for path in sorted(street_images.iterdir())]
        return [bgr for bgr in pictures if bgr.shape[:2] == size_hw]

    return read


@pytest.fixture(scope="session")
def count_equal() -> Callable[..., int]:
    """Asserts that two models found the same, and gives the number of rows that were compared.

    ``count_equal(ours, xyxy, score, class_id)`` matches rows by class and IoU, each to one of its own, since rows of
    nearly equal scores may come in another order.
    """

    def count(ours: Detections, xyxy: Any, score: Any, class_id: Any, *, max_score: float = 1e-3) -> int:
        assert len(ours) == len(score)
        free = np.ones(len(ours), bool)
        for row in range(len(score)):
            candidates = np.flatnonzero(free & (ours.class_id == class_id[row]))
            # Boxes of one query or anchor neighbourhood coincide; among those the score tells which is which.
            overlap = compute_iou(xyxy[row : row + 1].astype(np.float32), ours.xyxy[candidates])[0]
            near = candidates[overlap >= overlap.max() - 1e-3]
            match = near[np.argmin(np.abs(ours.score[near] - score[row]))]
            free[match] = False
            np.testing.assert_allclose(ours.xyxy[match], xyxy[row], atol=0.5)
            assert abs(ours.score[match] - score[row]) < max_score
        return len(score)

    return count


@pytest.fixture(scope="session")
def save_yolo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a ``.pt`` of a YOLO architecture, saved as Ultralytics saves one.

    Its weights are seeded noise that keeps scores spread over many distinct values, so that a comparison has rows to
    compare: of these architectures no trained checkpoint is at hand.
    """
    saved: dict[str, Path] = {}

    def save(name: str) -> Path:
        if name not in saved:
            saved[name] = _save_noisy(name, tmp_path_factory.mktemp("weights") / f"{name}.pt")
        return saved[name]

    return save


def _save_noisy(name: str, path: Path) -> Path:
    import torch

    import_ultralytics_tasks()
    from ultralytics import RTDETR, YOLO

    torch.manual_seed(7)
    peer = (RTDETR if name.startswith("rtdetr") else YOLO)(f"{name}.yaml")
    # Of RT-DETR-L no rows are compared: it is large, and there to be loaded.
    if not name.startswith("rtdetr"):
        _calibrate_norms(peer.model)
        _spread_scores(peer.model)
    peer.save(str(path))
    return path


def _spread_scores(model: Any) -> None:
    """Scale the classifiers so that a few hundred of a picture's anchors score above 0.25, each differently."""
    import torch

    head = model.model[-1]
    branches = [getattr(head, name, None) or () for name in ("cv3", "one2one_cv3")]
    last = [classify[-1] for branch in branches for classify in branch]
    seen: dict[Any, Any] = {}
    hooks = [layer.register_forward_hook(lambda layer, _, out: seen.update({layer: out})) for layer in last]
    with torch.no_grad():
        for layer in last:
            torch.nn.init.normal_(layer.weight, std=1.0)
        model(_load_pictures())
        for layer, hook in zip(last, hooks, strict=True):
            hook.remove()
            best = seen[layer].amax(1).flatten()
            low, high = best.quantile(0.98), best.quantile(0.9999)
            scale = 3.0 / (high - low)
            layer.weight.mul_(scale)
            layer.bias.copy_(layer.bias * scale - low * scale - 1.1)


def _calibrate_norms(model: Any) -> None:
    """Fit BatchNorm's statistics to pictures, without which random layers fade to nothing or blow up."""
    import torch

    pictures = _load_pictures()
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        norm.reset_running_stats()
        norm.train()
    with torch.no_grad():
        model(pictures)
    for norm in norms:
        norm.momentum = 0.03
    model.eval()


def _load_pictures() -> Any:
    """The photographs inside the ultralytics package, f32[4, 3, 384, 384]."""
    import torch
    from ultralytics.utils import ASSETS

    photos = [cv2.imread(str(ASSETS / name)) for name in ("bus.jpg", "zidane.jpg")]
    fitted = [cv2.resize(photo, (384, 384))[:, :, ::-1].transpose(2, 0, 1) / np.float32(255) for photo in photos]
    return torch.from_numpy(np.stack([*fitted, *(f[:, :, ::-1] for f in fitted)]))


@pytest.fixture(scope="session")
def peer_predict() -> Callable[..., list[Any]]:
    """Ultralytics' own ``predict``: ``peer_predict(weights, images, **options)`` gives its result for each image.

    Its warm-up is left out, because it imports torchvision, which a CPU build of torch cannot; it changes no result.
    """
    import_ultralytics_tasks()
    from ultralytics import RTDETR, YOLO
    from ultralytics.nn.autobackend import AutoBackend

    def predict(weights: Path, images: list[Any], *, family: str, **options: Any) -> list[Any]:
        peer = (RTDETR if family == "attention" else YOLO)(str(weights))
        original, AutoBackend.warmup = AutoBackend.warmup, lambda *_, **__: None
        try:
            results = peer.predict(images, verbose=False, save=False, batch=len(images), device="cpu", **options)
        finally:
            AutoBackend.warmup = original
        return list(results)

    return predict


@pytest.fixture
def to_frame() -> Callable[[np.ndarray[Any, Any]], Frame]:
    """A frame of an array in memory."""

    def make(bgr: np.ndarray[Any, Any], name: str = "image") -> Frame:
        return Frame(Media(name, "image", Path(name), PurePosixPath(f"{name}.jpg")), 0, bgr)

    return make
