"""Pick layers and heads of a record, as a choice asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from detectattn.errors import ConfigError
from detectattn.results.attention import CrossAttention, SelfAttention

Layer = TypeVar("Layer", SelfAttention, CrossAttention)


def pick_layer(layers: Sequence[Layer], number: int | None) -> Layer:
    """The layer of that number; the last one if none is asked for.

    Raises:
        ConfigError: There is none of that number.
    """
    if number is None:
        return layers[-1]
    for layer in layers:
        if layer.layer == number:
            return layer
    there = ", ".join(str(layer.layer) for layer in layers)
    raise ConfigError(f"there is no attention layer {number} to draw", hint=f"Choose one of: {there}")


def pick_block(blocks: Sequence[SelfAttention], place: int | None) -> SelfAttention:
    """The block at that place in the order of the forward pass, from 0; the last one if none is asked for.

    Raises:
        ConfigError: There are not so many.
    """
    if place is None:
        return blocks[-1]
    if not 0 <= place < len(blocks):
        raise ConfigError(f"there is no attention block {place} to draw", hint=f"Choose one of 0 to {len(blocks) - 1}")
    return blocks[place]


def pick_heads(count: int, head: int | None) -> list[int]:
    """Which of ``count`` heads to average over: all, or the one that is asked for.

    Raises:
        ConfigError: There is no such head.
    """
    if head is None:
        return list(range(count))
    if not 0 <= head < count:
        raise ConfigError(f"there is no attention head {head} to draw", hint=f"Choose one of 0 to {count - 1}")
    return [head]
