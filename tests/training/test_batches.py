"""Batches depend on the seed and the step alone, and every scene comes once an epoch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from training.batches import collate_scenes, load_batch
from training.recipe import RECIPES
from training.scene_cache import LabelledScene


def test_every_scene_comes_once_an_epoch(monkeypatch: object) -> None:
    recipe = replace(RECIPES["demo-yolo"], size_px=32, batch=2)
    # The class tells the scene.
    scenes = [
        LabelledScene(
            np.full((32, 32, 3), 90, np.uint8), np.array([[2, 2, 30, 30]], np.float32), np.array([k], np.int32)
        )
        for k in range(6)
    ]
    for epoch in (0, 1):
        seen = [load_batch(scenes, recipe, 0, 3 * epoch + step).cls for step in range(3)]
        assert sorted(torch.cat(seen).view(-1).tolist()) == [0, 1, 2, 3, 4, 5]
    orders = [load_batch(scenes, recipe, 0, step).cls.view(-1).tolist() for step in (0, 3, 6, 9)]
    assert len({tuple(order) for order in orders}) > 1


def test_collated_boxes_are_fractions_of_the_picture() -> None:
    empty = LabelledScene(np.zeros((40, 40, 3), np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, np.int32))
    bgr = np.zeros((40, 40, 3), np.uint8)
    bgr[..., 2] = 255
    one = LabelledScene(bgr, np.array([[10, 0, 30, 40]], np.float32), np.array([5], np.int32))
    batch = collate_scenes([empty, one])
    assert batch.bboxes.tolist() == [[0.5, 0.5, 0.5, 1.0]]
    assert batch.batch_idx.tolist() == [1.0]
    assert batch.to_targets()["gt_groups"] == [0, 1]
    assert batch.img[1, :, 0, 0].tolist() == [1.0, 0.0, 0.0]
    assert batch.img.is_contiguous(memory_format=torch.channels_last)
