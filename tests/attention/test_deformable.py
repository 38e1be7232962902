"""Sampling points and weights of deformable attention are those that make its output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from detectattn.attention.deformable import DeformableWeights, recompute_deformable
from detectattn.types import F32
from detectattn.weights.ultralytics_env import import_ultralytics_tasks

GRID_HW = ((4, 6), (2, 3))
QUERIES, HEADS, POINTS, CHANNELS = 5, 2, 3, 8


@pytest.fixture(scope="module")
def module() -> Any:
    import_ultralytics_tasks()
    from ultralytics.nn.modules.transformer import MSDeformAttn

    torch.manual_seed(0)
    attention = MSDeformAttn(CHANNELS, len(GRID_HW), HEADS, POINTS).eval().requires_grad_(False)
    nn.init.normal_(attention.sampling_offsets.weight, std=0.5)
    nn.init.normal_(attention.attention_weights.weight)
    return attention


def recompute(
    module: Any, reference_size: int, mask: torch.Tensor | None = None
) -> tuple[DeformableWeights, torch.Tensor]:
    """Of the second picture of two; and its values f32[tokens, channels], projected and masked."""
    generator = torch.Generator().manual_seed(1)
    arguments = {
        "query": torch.randn(2, QUERIES, CHANNELS, generator=generator),
        "refer_bbox": torch.rand(2, QUERIES, 1, reference_size, generator=generator),
        "value": torch.randn(2, sum(h * w for h, w in GRID_HW), CHANNELS, generator=generator),
        "value_shapes": [list(hw) for hw in GRID_HW],
        "value_mask": mask,
    }
    value = module.value_proj(arguments["value"][1])
    value = value if mask is None else value.masked_fill(mask[1][:, None], 0.0)
    return recompute_deformable(module, arguments, module(**arguments), 1), value


@pytest.mark.parametrize("reference_size", [2, 4])
@pytest.mark.parametrize("masked", [False, True])
def test_points_and_weights_explain_the_output(module: Any, reference_size: int, masked: bool) -> None:
    mask = torch.rand(2, 30, generator=torch.Generator().manual_seed(2)) < 0.3 if masked else None
    captured, _ = recompute(module, reference_size, mask)
    assert captured.points.shape == (QUERIES, HEADS, 2, POINTS, 2)
    assert captured.weights.shape == (QUERIES, HEADS, 2, POINTS)
    torch.testing.assert_close(captured.weights.sum((2, 3)), torch.ones(QUERIES, HEADS))
    torch.testing.assert_close(captured.rebuilt, captured.own)


def test_points_are_shares_of_every_feature_map(module: Any) -> None:
    """Bilinear sampling by loops, cell ``i`` reaching from ``i`` to ``i + 1``, gives the module's output."""
    captured, value = recompute(module, 4)
    points, weights, values = captured.points.numpy(), captured.weights.numpy(), value.numpy()
    context = np.zeros((QUERIES, CHANNELS), np.float32)
    starts = np.cumsum([0, *(h * w for h, w in GRID_HW)])
    size = CHANNELS // HEADS
    for query, head, level, point in np.ndindex(*weights.shape):
        columns = slice(head * size, (head + 1) * size)
        cells = values[starts[level] : starts[level + 1], columns].reshape(*GRID_HW[level], size)
        found = sample(cells, points[query, head, level, point])
        context[query, columns] += weights[query, head, level, point] * found
    expected = module.output_proj(torch.from_numpy(context))
    torch.testing.assert_close(expected, captured.own, atol=1e-5, rtol=1e-4)


def sample(cells: F32, share_xy: F32) -> F32:
    height, width = cells.shape[:2]
    x, y = share_xy[0] * width - 0.5, share_xy[1] * height - 0.5
    left, top = int(np.floor(x)), int(np.floor(y))
    found = np.zeros(cells.shape[2], np.float32)
    for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        if 0 <= row < height and 0 <= column < width:
            found += (1 - abs(x - column)) * (1 - abs(y - row)) * cells[row, column]
    return found


def test_offsets_of_nothing_point_at_the_reference(module: Any) -> None:
    arguments = {
        "query": torch.zeros(1, 1, CHANNELS),
        "refer_bbox": torch.tensor([[[[0.25, 0.5, 0.2, 0.1]]]]),
        "value": torch.zeros(1, 30, CHANNELS),
        "value_shapes": GRID_HW,
    }
    bias = module.sampling_offsets.bias
    module.sampling_offsets.bias = nn.Parameter(torch.zeros_like(bias), requires_grad=False)
    try:
        captured = recompute_deformable(module, arguments, module(**arguments), 0)
        # As many offsets as there are points reach the edge of the box.
        module.sampling_offsets.bias = nn.Parameter(torch.full_like(bias, POINTS), requires_grad=False)
        moved = recompute_deformable(module, arguments, module(**arguments), 0)
    finally:
        module.sampling_offsets.bias = bias
    assert captured.points.reshape(-1, 2).unique(dim=0).tolist() == [[0.25, 0.5]]
    np.testing.assert_allclose(moved.points.reshape(-1, 2).unique(dim=0), [[0.35, 0.55]], rtol=1e-6)
