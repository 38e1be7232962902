"""What a model attended to in one picture, and maps of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from detectattn.types import F32

SelfKind = Literal["global", "area", "query"]
"""Every token to every other of a feature map; only inside runs of tokens (areas); object queries among themselves."""

AttentionKind = Literal["global", "area", "query", "deformable"]
"""As :data:`SelfKind`, and ``deformable``: object queries to a few sampled places of the feature maps."""


@dataclass(frozen=True, slots=True)
class AttentionSite:
    """One attention module of a model, as it stands before any picture goes through.

    Attributes:
        module: Its path in the model: ``model.11.ma``.
        module_type: Name of its class: ``MultiheadAttention``, ``Attention``, ``AAttn`` or ``MSDeformAttn``.
        kind: Who attends to what.
        layer: Number of its decoder layer, from 0, for ``query`` and ``deformable``; else its place, from 0, among the
            modules of its kind in the order in which the model holds them.
        heads: How many heads it has.
        head_size: Channels of a head's query and key; 0 for ``deformable``, which compares none.
        value_size: Channels of a head's value.
        areas: Runs into which the tokens are cut; 1 but for ``area``.
        levels: Feature maps that are sampled; 0 but for ``deformable``.
        points: Places that are sampled a query, head and level; 0 but for ``deformable``.
    """

    module: str
    module_type: str
    kind: AttentionKind
    layer: int
    heads: int
    head_size: int
    value_size: int
    areas: int = 1
    levels: int = 0
    points: int = 0

    @property
    def is_cross(self) -> bool:
        """Whether those that attend are others than those attended to."""
        return self.kind == "deformable"


@dataclass(frozen=True, slots=True)
class CaptureCheck:
    """How well what was captured explains what the module gave.

    Attributes:
        row_error: Largest distance from 1 of the sum of any row of weights.
        output_error: Largest difference between attention × values through the output projection and the module's own
            output, relative to the largest value of that output.
    """

    row_error: float
    output_error: float


@dataclass(frozen=True, slots=True, eq=False)
class SelfAttention:
    """One self-attention module in one picture.

    Attributes:
        module: Its path in the model: ``model.11.ma``.
        kind: Who attends to whom.
        layer: Number of its decoder layer, from 0, for ``query``; else its place, from 0, among modules of its kind.
        weights: f32[areas, heads, tokens, tokens]; a row (last axis) is what one token attends to, and sums to 1.
            ``areas`` is 1 but for ``area``, whose runs are consecutive row-major tokens of the grid.
        grid_hw: Height and width of the feature map, areas × tokens = height × width; None for ``query``.
        check: How well it explains the module's output.
    """

    module: str
    kind: SelfKind
    layer: int
    weights: F32
    grid_hw: tuple[int, int] | None
    check: CaptureCheck


@dataclass(frozen=True, slots=True, eq=False)
class CrossAttention:
    """The deformable cross-attention of one decoder layer in one picture.

    Attributes:
        module: Its path in the model.
        layer: Number of its decoder layer, from 0.
        points: f32[queries, heads, levels, points, 2], x and y of the sampled places as shares of the network's input
            (0 to 1 inside; they may lie outside).
        weights: f32[queries, heads, levels, points]; those of a query and head sum to 1.
        grid_hw: Height and width of each level's feature map, finest first.
        check: How well it explains the module's output.
    """

    module: str
    layer: int
    points: F32
    weights: F32
    grid_hw: tuple[tuple[int, int], ...]
    check: CaptureCheck


@dataclass(frozen=True, slots=True, eq=False)
class AttentionRecord:
    """All attention of a model in one picture, in the order of the forward pass; empty for a model without any.

    Attributes:
        self_attention: Of tokens and of queries.
        cross_attention: Of the decoder's layers.
        net_hw: Height and width of the network's input in this pass.
    """

    self_attention: tuple[SelfAttention, ...]
    cross_attention: tuple[CrossAttention, ...]
    net_hw: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class DetectionMap:
    """Where one detection comes from, according to one method.

    Attributes:
        method: ``cross_last``, ``layercam``, …: the key of the method.
        values: f32[h, w], not negative, of the whole upright picture (padding of the network's input is cut off); its
            pixels are those of the picture, scaled alike in both directions as far as whole numbers allow.
    """

    method: str
    values: F32
