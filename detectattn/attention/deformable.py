"""Sampling points and weights of deformable attention, computed anew from what a module was given.

Deformable DETR, https://arxiv.org/abs/2010.04159, section 4: a query looks at a few places of each feature map, which
it chooses as offsets from its reference box, and weighs what it finds there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import grid_sample


@dataclass(frozen=True, slots=True, eq=False)
class DeformableWeights:
    """Deformable attention of one picture of a batch.

    Attributes:
        points: [queries, heads, levels, points, 2], x and y as shares of each feature map, which all cover the whole
            of the network's input.
        weights: [queries, heads, levels, points].
        rebuilt: The output that follows from them, [queries, channels].
        own: What the module gave for this picture, the same shape.
        grid_hw: Height and width of each level's feature map.
    """

    points: torch.Tensor
    weights: torch.Tensor
    rebuilt: torch.Tensor
    own: torch.Tensor
    grid_hw: tuple[tuple[int, int], ...]


def recompute_deformable(
    module: Any, arguments: Mapping[str, Any], output: torch.Tensor, row: int
) -> DeformableWeights:
    """The points and weights of an ``MSDeformAttn``.

    Args:
        module: The module.
        arguments: What its ``forward`` was called with, by name: ``query`` [B, Q, C]; ``refer_bbox`` [B, Q, 1 or
            levels, 2 or 4], shares of the input, x, y and perhaps width and height; ``value`` [B, tokens, C];
            ``value_shapes``, each level's (height, width); ``value_mask`` [B, tokens], True for padding.
        output: What it gave, [B, Q, C].
        row: Which picture of the batch.
    """
    query, reference = arguments["query"][row], arguments["refer_bbox"][row]
    grid_hw = tuple((int(height), int(width)) for height, width in arguments["value_shapes"])
    shape = (len(query), module.n_heads, module.n_levels, module.n_points)
    weights = module.attention_weights(query).view(*shape[:2], -1).softmax(-1).view(shape)
    points = _place(module.sampling_offsets(query).view(*shape, 2), reference, grid_hw)
    value = _project_value(module, arguments, row)
    rebuilt = module.output_proj(_sample(value, points, weights, grid_hw))
    return DeformableWeights(points, weights, rebuilt, output[row], grid_hw)


def _place(offsets: torch.Tensor, reference: torch.Tensor, grid_hw: Sequence[tuple[int, int]]) -> torch.Tensor:
    """Offsets [Q, heads, levels, points, 2] about references [Q, 1 or levels, 2 or 4] as shares of the input.

    About a point, offsets are in cells of each level's grid; about a box, ``points`` offsets reach its edge.
    """
    reference = reference[:, None, :, None, :]
    if reference.shape[-1] == 2:
        cells_wh = torch.tensor(grid_hw, dtype=offsets.dtype, device=offsets.device).flip(-1)
        return reference + offsets / cells_wh[:, None]
    return reference[..., :2] + offsets / offsets.shape[3] * reference[..., 2:] / 2


def _project_value(module: Any, arguments: Mapping[str, Any], row: int) -> torch.Tensor:
    """Values [heads, channels, tokens] of all levels."""
    value = module.value_proj(arguments["value"][row])
    mask = arguments.get("value_mask")
    if mask is not None:
        value = value.masked_fill(mask[row][:, None], 0.0)
    transposed: torch.Tensor = value.unflatten(1, (module.n_heads, -1)).permute(1, 2, 0)
    return transposed


def _sample(
    value: torch.Tensor, points: torch.Tensor, weights: torch.Tensor, grid_hw: Sequence[tuple[int, int]]
) -> torch.Tensor:
    """Weighted sum [Q, channels] of what lies at the points, zero outside of the feature maps."""
    total = torch.zeros((), dtype=value.dtype, device=value.device)
    places = (2 * points - 1).transpose(0, 1)
    shares = weights.transpose(0, 1)
    cells = torch.split(value, [height * width for height, width in grid_hw], dim=2)
    for level, size_hw in enumerate(grid_hw):
        grid = cells[level].reshape(*value.shape[:2], *size_hw)
        found = grid_sample(grid, places[:, :, level], mode="bilinear", padding_mode="zeros", align_corners=False)
        total = total + (found * shares[:, None, :, level]).sum(-1)
    return total.permute(2, 0, 1).flatten(1)
