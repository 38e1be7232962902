"""What a model is made of, and what its attention costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from detectattn.results.attention import AttentionKind, AttentionSite
from detectattn.results.ledger import Cost, Crossing, Growth, Reconciliation
from detectattn.results.pairs import PairedRatio
from detectattn.results.roofline import Roof, RoofShare
from detectattn.types import Family

Kernel = Literal["explicit softmax", "fused", "sampling"]
"""A matrix of weights that is written and read; one kernel that never writes it; places that are sampled."""

Shape = tuple[int, ...]

_MOST_SPREAD = 0.15


@dataclass(frozen=True, slots=True)
class BlockCost:
    """One block of a model; the blocks of a tree come parents first.

    Attributes:
        label: What it is: ``backbone``, ``0 HGStem``, ``self-attention``.
        depth: 0 for the model, 1 for its parts, and so on.
        modules: Paths of the modules that it consists of; empty for a part and for what is left of its parent.
        params: Parameters.
        cost: Of its calls; that of its children included. Children add up to their parent.
        peak_mb: Most megabytes alive at once while it runs, beyond those alive when it begins: what its operations
            return and still hold. For a part, and for several modules, the largest of them.
        inputs: Shapes of the tensors that its first module is called with, the batch included.
        outputs: Shapes of those that its last module returns.
        attention: What kind of attention it is, or None.
        at_roof: Where it lies under the roofs of the device, or None where that is not known.
    """

    label: str
    depth: int
    modules: tuple[str, ...]
    params: int
    cost: Cost
    peak_mb: float
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()
    attention: AttentionKind | None = None
    at_roof: RoofShare | None = None


@dataclass(frozen=True, slots=True)
class AttentionBlock:
    """One attention module in one size.

    Attributes:
        site: The module, its kind and its heads.
        queries: Tokens that attend, in one area.
        keys: Tokens that they attend to, in one area; rows of the feature maps for ``deformable``, of which each query
            samples levels × points a head.
        kernel: What computes it: ``explicit softmax``, ``fused`` or ``sampling``.
        operations: Names of the operations that show it.
        cost: Of the whole module, projections included.
        products_gflops: Of that, queries × keys and weights × values; for ``deformable`` sampling and weighting.
        matrix_mb: Its matrix of weights, all heads and areas; 0 where none is written.
    """

    site: AttentionSite
    queries: int
    keys: int
    kernel: Kernel
    operations: tuple[str, ...]
    cost: Cost
    products_gflops: float
    matrix_mb: float


@dataclass(frozen=True, slots=True)
class Timing:
    """How a size was timed.

    Attributes:
        rounds: Passes with and without measuring, interleaved.
        whole_ms: Median of the passes without.
        measured_ms: Median of the passes with: beside the former, what measuring costs.
        blocks_ms: Sum over the blocks, those of the backbone, the neck or encoder, and the head.
        spread: Half of the passes without lie within so much, as a share of their median.
    """

    rounds: int
    whole_ms: float
    measured_ms: float
    blocks_ms: float
    spread: float

    @property
    def trusted(self) -> bool:
        """Whether passes were alike enough; a machine that does other work at the same time makes them differ."""
        return self.spread <= _MOST_SPREAD


@dataclass(frozen=True, slots=True)
class FusedTrial:
    """Softmax attention of all self-attention modules of a model as it runs today against PyTorch's fused kernel.

    Attributes:
        explicit_ms: Times of each round in ms, queries × keys, softmax and weights × values on what the modules were
            given, and whatever else is done with the weights.
        fused_ms: The same by ``scaled_dot_product_attention``, interleaved with the former.
        kernel: The operation that it dispatches to.
        error: Largest difference between the two outputs, relative to the largest value.
        ratio: Of the two, explicit to fused; filled in by who compares them.
    """

    explicit_ms: tuple[float, ...]
    fused_ms: tuple[float, ...]
    kernel: str
    error: float
    ratio: PairedRatio | None = None


@dataclass(frozen=True, slots=True)
class SizeInspection:
    """A model at one image size.

    Attributes:
        net_hw: Height and width of the network's input.
        whole: Of a pass.
        blocks: The tree, parents first; the first is the model.
        attention: Its attention, in the order in which it runs.
        peak_mb: Most megabytes that activations take at once.
        timing: None where nothing was timed.
        fused: None where nothing was timed, or no attention has a softmax over tokens that a fused kernel could run.
        at_roof: Where a pass lies under the roofs of the device, or None where that is not known.
    """

    net_hw: tuple[int, int]
    whole: Cost
    blocks: tuple[BlockCost, ...]
    attention: tuple[AttentionBlock, ...]
    peak_mb: float
    timing: Timing | None = None
    fused: FusedTrial | None = None
    at_roof: RoofShare | None = None

    def split_cost(self) -> Mapping[str, Cost]:
        """What each part of the model costs.

        Returns:
            ``whole``, ``rest`` (whole less attention), ``attention``, ``self``, ``cross``, and each kind that there is.
        """
        attention = add_costs(block.cost for block in self.attention)
        kinds = dict.fromkeys(block.site.kind for block in self.attention)
        return {
            "whole": self.whole,
            "rest": _subtract(self.whole, attention),
            "attention": attention,
            "self": add_costs(block.cost for block in self.attention if not block.site.is_cross),
            "cross": add_costs(block.cost for block in self.attention if block.site.is_cross),
            **{kind: add_costs(b.cost for b in self.attention if b.site.kind == kind) for kind in kinds},
        }


@dataclass(frozen=True, slots=True)
class SkippedSize:
    """A size at which the model could not be looked at.

    Attributes:
        net_hw: The size.
        reason: Why, a sentence without its full stop.
    """

    net_hw: tuple[int, int]
    reason: str


@dataclass(frozen=True, slots=True)
class ModelInspection:
    """What a model is made of and what its attention costs.

    Attributes:
        name: Its name.
        family: As in :class:`~detectattn.types.ModelInfo`.
        sha256: Of its weights.
        device: Where it ran.
        precision: In what precision.
        params: Parameters.
        own_hw: The size that it is made for.
        sizes: From small to large.
        growth: Of attention and the rest; empty with fewer than two sizes.
        crossings: Of attention and the rest; empty with fewer than two sizes or without attention.
        reconciliation: Of the count of operations, or None where the published size does not fit into memory.
        skipped: Sizes that could not be looked at.
        roof: What the device allows in that precision, or None where it was not measured.
    """

    name: str
    family: Family
    sha256: str
    device: str
    precision: str
    params: int
    own_hw: tuple[int, int]
    sizes: tuple[SizeInspection, ...]
    growth: tuple[Growth, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    reconciliation: Reconciliation | None = None
    skipped: tuple[SkippedSize, ...] = ()
    roof: Roof | None = None


def add_costs(costs: Iterable[Cost]) -> Cost:
    """The sum of costs; its time is None where that of one is, and without any cost."""
    known = tuple(costs)
    times = [cost.time_ms for cost in known if cost.time_ms is not None]
    return Cost(
        math.fsum(cost.gflops for cost in known),
        math.fsum(cost.written_mb for cost in known),
        math.fsum(times) if times and len(times) == len(known) else None,
        math.fsum(cost.read_mb for cost in known),
    )


def _subtract(whole: Cost, part: Cost) -> Cost:
    time_ms = whole.time_ms if part.time_ms is None or whole.time_ms is None else whole.time_ms - part.time_ms
    return Cost(whole.gflops - part.gflops, whole.written_mb - part.written_mb, time_ms, whole.read_mb - part.read_mb)
