"""Tiny recipes and scenes: a training step in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from training.recipe import RECIPES, Recipe
from training.scene_cache import LabelledScene


def paint_scene(seed: int, size_px: int = 64) -> LabelledScene:
    """One to three bright rectangles on a dark ground, each class in a colour of its own."""
    rng = np.random.default_rng(seed)
    bgr = rng.integers(0, 40, (size_px, size_px, 3), dtype=np.uint8)
    corners = rng.integers(0, size_px - 24, (rng.integers(1, 4), 2))
    xyxy = np.concatenate([corners, corners + rng.integers(10, 24, corners.shape)], 1)
    class_id = rng.integers(0, 6, len(xyxy)).astype(np.int32)
    for (x1, y1, x2, y2), kind in zip(xyxy, class_id, strict=True):
        bgr[y1:y2, x1:x2] = (80 + 30 * kind, 250 - 30 * kind, 255 if kind % 2 else 60)
    return LabelledScene(bgr, xyxy.astype(np.float32), class_id)


@pytest.fixture
def scenes() -> list[LabelledScene]:
    return [paint_scene(seed) for seed in range(8)]


def _shrink(recipe: Recipe) -> Recipe:
    """At 64 px and 4 pictures a step, learning fast."""
    return replace(recipe, size_px=64, batch=4, warmup_images=0, denoising=10)


@pytest.fixture(params=sorted(RECIPES))
def either(request: pytest.FixtureRequest) -> Recipe:
    return _shrink(RECIPES[request.param])


@pytest.fixture
def rtdetr() -> Recipe:
    return _shrink(RECIPES["demo-rtdetr"])


@pytest.fixture
def yolo() -> Recipe:
    return _shrink(RECIPES["demo-yolo"])


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Sums come out the same in every run only in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
