"""Attention followed from a detection's query back through the decoder and the encoder."""

from __future__ import annotations

import numpy as np

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.attention.maps.encoder_rows import grid_attention
from detectattn.attention.maps.levels import sum_levels
from detectattn.attention.project import frame_of_grid, splat_points
from detectattn.results.attention import AttentionRecord, CrossAttention, SelfAttention
from detectattn.types import F32

Levels = list[F32]
"""Mass f32[h, w] of the cells of each level."""


def map_rollout(evidence: Evidence, detection: int, choice: Choice) -> F32:
    """Attention rollout with residual connections (Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928, section 3).

    Every attention block is taken for half itself, half what it attends to (``0.5 A + 0.5 I``, heads averaged). From
    the last decoder layer backwards, a row of shares over queries starts as the detection's own query. In each layer
    half of it is spent on what those queries sample from the feature maps, and half goes on through
    ``0.5 S + 0.5 I``, S being the self-attention among queries. What is spent on the level that the encoder's
    self-attention wrote then goes on through ``0.5 A + 0.5 I`` of its tokens.

    What is approximated: values, feed-forward layers and normalisation count for nothing, as in every rollout; a
    sampling point counts for the four cells it is read from; the convolutions between encoder and decoder stay in
    place, so that what the encoder's level hands to the finer levels is not followed; what is left in the queries
    before the first layer (2^-layers of all) is dropped, and with it the token that each query was made from.
    See :class:`~detectattn.attention.maps.base.MapBuilder`.
    """
    levels = _follow_decoder(evidence.record, evidence.query_of(detection))
    return sum_levels(_follow_encoder(levels, grid_attention(evidence)), evidence.frame)


def _follow_decoder(record: AttentionRecord, query: int) -> Levels:
    among_queries = {block.layer: block for block in record.self_attention if block.kind == "query"}
    shares: F32 = np.zeros(len(record.cross_attention[-1].weights), np.float32)
    shares[query] = 1
    levels = [np.zeros(grid_hw, np.float32) for grid_hw in record.cross_attention[-1].grid_hw]
    for layer in reversed(record.cross_attention):
        for level, mass in enumerate(_sample(layer, shares, record.net_hw)):
            levels[level] += mass / 2
        shares = shares / np.float32(2)
        if (block := among_queries.get(layer.layer)) is not None:
            shares = (shares + shares @ block.weights[0].mean(axis=0)) / 2
    return levels


def _sample(layer: CrossAttention, shares: F32, net_hw: tuple[int, int]) -> Levels:
    """Where all queries together sample, f32[h, w] for each level, each query to its share."""
    queries = np.flatnonzero(shares)
    points = layer.points[queries]
    weights = layer.weights[queries] * (shares[queries] / np.float32(layer.weights.shape[1]))[:, None, None, None]
    return [
        splat_points(points[:, :, level].reshape(-1, 2), weights[:, :, level].ravel(), frame_of_grid(grid_hw, net_hw))
        for level, grid_hw in enumerate(layer.grid_hw)
    ]


def _follow_encoder(levels: Levels, blocks: tuple[SelfAttention, ...]) -> Levels:
    """The same with the mass of the encoder's own level spread over what its tokens attend to."""
    spread = list(levels)
    for block in reversed(blocks):
        fitting = [place for place, level in enumerate(levels) if level.shape == block.grid_hw]
        if block.kind == "global" and fitting:
            tokens = spread[fitting[-1]].ravel()
            attended = tokens @ block.weights[0].mean(axis=0)
            spread[fitting[-1]] = ((tokens + attended) / 2).reshape(levels[fitting[-1]].shape)
    return spread
