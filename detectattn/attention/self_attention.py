"""Weights of self-attention, computed anew from what a module was given, and the output that follows from them.

The modules keep no weights: they are made and used up inside ``forward``. Computed anew from the same input they are
the same but for rounding, and the module's own output tells whether they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import linear

from detectattn.results.attention import AttentionSite


@dataclass(frozen=True, slots=True, eq=False)
class SelfWeights:
    """Self-attention of one picture of a batch.

    Attributes:
        weights: [areas, heads, tokens, tokens], queries by keys.
        rebuilt: The output that follows from them; any shape.
        own: What the module gave for this picture, the same shape.
        grid_hw: Height and width of the feature map, where the module was given one.
    """

    weights: torch.Tensor
    rebuilt: torch.Tensor
    own: torch.Tensor
    grid_hw: tuple[int, int] | None


def recompute_multi_head(module: Any, arguments: Mapping[str, Any], output: Any, row: int) -> SelfWeights:
    """The weights of an ``nn.MultiheadAttention``.

    Args:
        module: The module.
        arguments: What its ``forward`` was called with, by name.
        output: What it gave: the output and, perhaps, averaged weights.
        row: Which picture of the batch.
    """
    axis = 0 if module.batch_first else 1
    query, key, value = (arguments[name].narrow(axis, row, 1) for name in ("query", "key", "value"))
    _, weights = module.forward(
        query,
        key,
        value,
        key_padding_mask=_take_row(arguments.get("key_padding_mask"), row),
        need_weights=True,
        attn_mask=_take_row(arguments.get("attn_mask"), row, module.num_heads),
        average_attn_weights=False,
        is_causal=arguments.get("is_causal", False),
    )
    rebuilt = _attend(module, weights[0], value.squeeze(axis))
    return SelfWeights(weights, rebuilt, output[0].select(axis, row), None)


def _take_row(mask: torch.Tensor | None, row: int, heads: int = 1) -> torch.Tensor | None:
    """A picture's share of a mask: those of attention may be [queries, keys] for all, or [batch × heads, …]."""
    if mask is None or (heads > 1 and mask.ndim == 2):
        return mask
    return mask[row * heads : (row + 1) * heads]


def _attend(module: Any, weights: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Weights [heads, queries, keys] × projected values [keys, channels], through the output projection."""
    size = module.embed_dim
    matrix = module.v_proj_weight if module.in_proj_weight is None else module.in_proj_weight[2 * size :]
    bias = None if module.in_proj_bias is None else module.in_proj_bias[2 * size :]
    values = linear(value, matrix, bias).view(len(value), module.num_heads, -1).transpose(0, 1)
    context = (weights @ values).transpose(0, 1).flatten(1)
    return linear(context, module.out_proj.weight, module.out_proj.bias)


def recompute_convolutional(
    site: AttentionSite, module: Any, arguments: Mapping[str, Any], output: torch.Tensor, row: int
) -> SelfWeights:
    """The weights of Ultralytics' ``Attention`` (PSA) and ``AAttn`` (area attention).

    Both take a feature map [B, C, H, W], make query, key and value of every token with one 1×1 convolution, whose
    channels are those of the first head (query, key, value), then of the next, and add a convolution of the values,
    ``pe``, to what was attended to before the output projection. Area attention cuts the row-major tokens into runs
    of equal length that know nothing of each other; it is the same computation with more areas than one.

    Args:
        site: What the module is.
        module: The module.
        arguments: What its ``forward`` was called with, by name.
        output: What it gave, [B, C, H, W].
        row: Which picture of the batch.
    """
    pixels = arguments["x"]
    height, width = pixels.shape[2:]
    sizes = [site.head_size, site.head_size, site.value_size]
    projected = module.qkv(pixels[row : row + 1])
    by_area = projected.reshape(site.heads, sum(sizes), site.areas, -1).permute(2, 0, 1, 3)
    query, key, value = by_area.split(sizes, dim=2)
    weights = (query.transpose(2, 3) @ key * site.head_size**-0.5).softmax(-1)
    attended, plain = (_to_map(t, height, width) for t in (value @ weights.transpose(2, 3), value))
    rebuilt = module.proj(attended + module.pe(plain))
    return SelfWeights(weights, rebuilt[0], output[row], (height, width))


def _to_map(tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """[areas, heads, channels, tokens] back to a feature map [1, heads × channels, height, width]."""
    return tokens.permute(1, 2, 0, 3).reshape(1, -1, height, width)
