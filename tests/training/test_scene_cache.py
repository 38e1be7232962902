"""Scenes are drawn once, and come back as they were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training import scene_cache


@dataclass
class Drawn:
    bgr: Any
    xyxy: Any
    class_id: Any


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replaces the drawing by one that notes its seeds; scene k holds k boxes."""
    seeds: list[int] = []

    def draw_scene(seed: int, hw: tuple[int, int]) -> Drawn:
        if hw == (scene_cache.DRAWN_PX, scene_cache.DRAWN_PX):
            seeds.append(seed)
        boxes = np.tile(np.array([[0, 8, 320, 640]], np.float32), (seed, 1))
        return Drawn(np.full((*hw, 3), 10 + seed, np.uint8), boxes, np.arange(seed, dtype=np.int32))

    monkeypatch.setattr(scene_cache, "draw_scene", draw_scene)
    return seeds


def test_they_are_drawn_once(drawn: list[int], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    first = scene_cache.load_scenes(range(3), 64, tmp_path, lambda *counts: told.append(counts))
    again = scene_cache.load_scenes(range(3), 64, tmp_path)
    assert drawn == [0, 1, 2]
    assert told == [(3, 3)]
    for index, (scene, same) in enumerate(zip(first, again, strict=True)):
        assert scene.bgr.shape == (64, 64, 3)
        assert (np.asarray(scene.bgr) == np.asarray(same.bgr)).all()
        assert int(scene.bgr.max()) == 10 + index
        np.testing.assert_allclose(same.xyxy, np.tile([[0, 0.8, 32, 64]], (index, 1)))
        assert same.class_id.tolist() == list(range(index))


def test_other_drawing_code_draws_afresh(drawn: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = scene_cache.load_scenes(range(2), 64, tmp_path)
    original: Any = vars(scene_cache)["draw_scene"]

    def draw_darker(seed: int, hw: tuple[int, int]) -> Any:
        scene = original(seed, hw)
        scene.bgr[:] = 1
        return scene

    monkeypatch.setattr(scene_cache, "draw_scene", draw_darker)
    after = scene_cache.load_scenes(range(2), 64, tmp_path)
    assert before.drawing != after.drawing
    assert (int(before[1].bgr.max()), int(after[1].bgr.max())) == (11, 1)
    assert drawn == [0, 1, 0, 1]
