"""What the tokens inside a detection's box attend to in a feature map's self-attention."""

from __future__ import annotations

import numpy as np

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.attention.maps.choose import pick_block, pick_heads
from detectattn.attention.project import cells_in_box, project_grid
from detectattn.results.attention import SelfAttention
from detectattn.types import F32


def grid_attention(evidence: Evidence) -> tuple[SelfAttention, ...]:
    """The self-attention modules of a picture whose tokens are the cells of a feature map, in order."""
    return tuple(block for block in evidence.record.self_attention if block.grid_hw is not None)


def map_encoder_rows(evidence: Evidence, detection: int, choice: Choice) -> F32:
    """The mean of the attention rows of the tokens whose cells lie in the box, of the last block (or the one chosen).

    ``1 / |T| · sum over t in T of softmax(q_t · k / sqrt(d))``, heads averaged (Vaswani et al., Attention Is All You
    Need, https://arxiv.org/abs/1706.03762, equation 1; for single tokens as DETR draws it,
    https://arxiv.org/abs/2005.12872, figure 3). With area attention (YOLO12) a token attends to its own area alone, a
    band of rows, so the rest of the picture stays dark. See :class:`~detectattn.attention.maps.base.MapBuilder`.
    """
    block = pick_block(grid_attention(evidence), choice.layer)
    assert block.grid_hw is not None
    areas, heads, tokens, _ = block.weights.shape
    inside = cells_in_box(evidence.detections.xyxy[detection], evidence.resize, block.grid_hw).reshape(areas, tokens)
    attended = np.zeros((areas, tokens), np.float32)
    for area in np.flatnonzero(inside.any(axis=1)):
        rows = block.weights[area][pick_heads(heads, choice.head)][:, inside[area]]
        attended[area] = rows.mean(axis=0).sum(axis=0)
    return project_grid(attended.reshape(block.grid_hw) / np.float32(inside.sum()), evidence.frame)
