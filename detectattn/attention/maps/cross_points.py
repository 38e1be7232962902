"""The places that a detection's query samples in deformable cross-attention, and their density.

Deformable attention (Zhu et al., Deformable DETR, https://arxiv.org/abs/2010.04159, equation 3) reads the feature map
of each level at a few points and sums what it finds with weights that sum to 1 over levels and points. So attention is
no matrix over the picture: it is that list of points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.attention.maps.choose import pick_heads, pick_layer
from detectattn.attention.project import MapFrame, blur, points_to_image, splat_points
from detectattn.results.attention import CrossAttention
from detectattn.types import F32, I32

# A point is read by bilinear interpolation, a triangle of one cell to either side, whose standard deviation this is.
BILINEAR_SIGMA_CELLS = 6**-0.5


@dataclass(frozen=True, slots=True, eq=False)
class CrossPoints:
    """Sampling points of one detection, to be drawn one by one; N is layers × heads × levels × points.

    Attributes:
        xy: f32[N, 2] in pixels of the upright picture; they may lie outside it.
        weight: f32[N]; those of one layer and head sum to 1.
        level: i32[N], 0 for the finest feature map.
        head: i32[N].
        layer: i32[N], number of the decoder layer.
    """

    xy: F32
    weight: F32
    level: I32
    head: I32
    layer: I32


def list_cross_points(evidence: Evidence, detection: int, choice: Choice | None = None) -> CrossPoints:
    """All points that a detection's query samples; of one layer or one head if the choice names it.

    Raises:
        ConfigError: There is no such layer or head.
    """
    choice = choice or Choice()
    layers = evidence.record.cross_attention
    chosen = layers if choice.layer is None else (pick_layer(layers, choice.layer),)
    parts = [_list_layer(layer, evidence, evidence.query_of(detection), choice.head) for layer in chosen]
    return CrossPoints(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _list_layer(
    layer: CrossAttention, evidence: Evidence, query: int, head: int | None
) -> tuple[F32, F32, I32, I32, I32]:
    heads = pick_heads(layer.weights.shape[1], head)
    weight = layer.weights[query, heads]
    head_of, level_of, _ = np.indices(weight.shape, np.int32)
    return (
        points_to_image(layer.points[query, heads].reshape(-1, 2), evidence.resize),
        weight.ravel(),
        level_of.ravel(),
        np.asarray(heads, np.int32)[head_of].ravel(),
        np.full(weight.size, layer.layer, np.int32),
    )


def compute_density(layers: Sequence[CrossAttention], query: int, head: int | None, frame: MapFrame) -> F32:
    """Where a query's sampling points lie, f32[h, w]: the share of attention in each pixel, averaged over layers.

    Every point is laid down at its place with its weight and spread by a Gaussian whose standard deviation is that of
    the bilinear kernel that reads it, 0.41 cells of its level: a coarse level sees no finer than its cells are.
    """
    total = np.zeros(frame.size_hw, np.float32)
    for level, grid_hw in enumerate(layers[0].grid_hw):
        # Spreading is linear, and the same for all layers: what they lay down is spread once.
        laid = np.zeros(frame.size_hw, np.float32)
        for layer in layers:
            laid += splat_points(*take_level(layer, query, level, head), frame)
        cell_x, cell_y = frame.cell_xy(grid_hw)
        total += blur(laid, (cell_x * BILINEAR_SIGMA_CELLS, cell_y * BILINEAR_SIGMA_CELLS))
    return total / np.float32(len(layers))


def take_level(layer: CrossAttention, query: int, level: int, head: int | None) -> tuple[F32, F32]:
    """What a query samples of one level.

    Returns:
        Points f32[N, 2] as shares of the network's input, and weights f32[N]: shares of the attention of the heads
        that are looked at, so that over all levels they sum to 1.
    """
    heads = pick_heads(layer.weights.shape[1], head)
    points = layer.points[query, heads, level].reshape(-1, 2)
    weights: F32 = layer.weights[query, heads, level].ravel() / np.float32(len(heads))
    return points, weights
