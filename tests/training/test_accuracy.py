"""The figures are pycocotools' own: a perfect detector gets 1, a displaced one what its overlap deserves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from training.accuracy import METRICS, compute_accuracy
from training.scene_cache import LabelledScene


class Detect(nn.Module):
    """Plays back rows [B, 4+C, A] in the layout of YOLO's head."""


class Oracle(nn.Module):
    """Finds the one object at its place, moved to the right by a share of its width."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.model = nn.Sequential(Detect())
        self.shift = shift

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor]:
        assert pixels.shape[-2:] == (64, 64)
        return (torch.tensor([[[20 + 20 * self.shift], [24], [20], [16], [0.9], [0.0]]]),)


@pytest.mark.parametrize(
    ("shift", "ap50_95", "ap50"),
    # Overlaps of 1, 1/1.5 (thresholds .50 to .65 of ten), and 1/3.
    [(0.0, 1.0, 1.0), (0.2, 0.4, 1.0), (0.5, 0.0, 0.0)],
)
def test_displaced_detections(shift: float, ap50_95: float, ap50: float) -> None:
    scene = LabelledScene(
        np.zeros((128, 128, 3), np.uint8), np.array([[20, 32, 60, 64]], np.float32), np.array([0], np.int32)
    )
    accuracy = compute_accuracy(Oracle(shift), [scene] * 3, ("car", "bus"), 64)
    assert tuple(accuracy.metrics) == METRICS
    assert accuracy.metrics["ap50_95"] == pytest.approx(ap50_95)
    assert accuracy.metrics["ap50"] == pytest.approx(ap50)
    assert accuracy.metrics["ap_small"] == -1
    assert accuracy.per_class == pytest.approx({"car": ap50_95, "bus": -1.0})
