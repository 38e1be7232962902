"""From what was seen of modules to the blocks of a tree and to attention with its costs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from detectattn.attention.block_time import PassTimes
from detectattn.attention.kernels import name_kernel
from detectattn.attention.operations import ModuleTally
from detectattn.attention.stages import BlockPlan
from detectattn.results.attention import AttentionSite
from detectattn.results.inspection import AttentionBlock, BlockCost, add_costs
from detectattn.results.ledger import Cost

REST = "the rest of it"
_SAMPLING = ("grid_sampler_2d", "deformable_sum")
_NOTHING = 0.5e-9


def build_blocks(
    model: nn.Module, plan: BlockPlan, tallies: Mapping[str, ModuleTally], times: PassTimes | None
) -> tuple[BlockCost, ...]:
    """The tree of a model with its costs, parents first.

    A block that is more than its children has one more child for what is left of it.

    Args:
        model: The model.
        plan: Its tree.
        tallies: What was seen of every module of the tree.
        times: Of the same modules, or None.
    """
    return tuple(_Builder(model, tallies, times).iter_blocks(plan, 0))


@dataclass(frozen=True, slots=True)
class _Builder:
    model: nn.Module
    tallies: Mapping[str, ModuleTally]
    times: PassTimes | None

    def iter_blocks(self, plan: BlockPlan, depth: int) -> Iterator[BlockCost]:
        below = [list(self.iter_blocks(child, depth + 1)) for child in plan.children]
        children = [blocks[0] for blocks in below]
        block = self._measure(plan, depth) if plan.modules else _add_up(plan, depth, children)
        yield block
        for blocks in below:
            yield from blocks
        if plan.modules and children and (rest := _take_rest(block, children)) is not None:
            yield rest

    def _measure(self, plan: BlockPlan, depth: int) -> BlockCost:
        tallies = [self.tallies[path] for path in plan.modules]
        return BlockCost(
            label=plan.label,
            depth=depth,
            modules=plan.modules,
            params=sum(p.numel() for path in plan.modules for p in self.model.get_submodule(path).parameters()),
            cost=Cost(
                sum(sum(tally.flops.values()) for tally in tallies) / 1e9,
                sum(tally.written_bytes for tally in tallies) / 1e6,
                self._find_time(plan.modules),
                sum(tally.read_bytes for tally in tallies) / 1e6,
            ),
            peak_mb=max(tally.peak_bytes for tally in tallies) / 1e6,
            inputs=tallies[0].inputs,
            outputs=tallies[-1].outputs,
            attention=plan.attention,
        )

    def _find_time(self, modules: Sequence[str]) -> float | None:
        if self.times is None:
            return None
        # The model's own time is that of passes in which nothing else was measured.
        return self.times.whole_ms if modules == ("",) else self.times.sum_of(modules)


def _add_up(plan: BlockPlan, depth: int, children: Sequence[BlockCost]) -> BlockCost:
    return BlockCost(
        label=plan.label,
        depth=depth,
        modules=(),
        params=sum(child.params for child in children),
        cost=add_costs(child.cost for child in children),
        peak_mb=max((child.peak_mb for child in children), default=0.0),
        inputs=children[0].inputs if children else (),
        outputs=children[-1].outputs if children else (),
    )


def _take_rest(block: BlockCost, children: Sequence[BlockCost]) -> BlockCost | None:
    """What a block does outside its children; None where that is nothing."""
    inside = add_costs(child.cost for child in children)
    gflops = _drop_rounding(block.cost.gflops - inside.gflops)
    written = _drop_rounding(block.cost.written_mb - inside.written_mb)
    read = _drop_rounding(block.cost.read_mb - inside.read_mb)
    if not gflops and not written:
        return None
    time_ms = None
    if block.cost.time_ms is not None and inside.time_ms is not None:
        time_ms = max(0.0, block.cost.time_ms - inside.time_ms)  # medians of few passes need not add up
    return BlockCost(
        label=REST,
        depth=block.depth + 1,
        modules=(),
        params=block.params - sum(child.params for child in children),
        cost=Cost(gflops, written, time_ms, read),
        peak_mb=0.0,
    )


def _drop_rounding(difference: float) -> float:
    """A difference of sums of whole operations or bytes, in billions or millions; 0 below one of them."""
    return difference if difference > _NOTHING else 0.0


def describe_attention(
    module: Any,
    site: AttentionSite,
    tally: ModuleTally,
    times: PassTimes | None,
    operations: tuple[str, ...],
    item_bytes: int,
) -> AttentionBlock:
    """An attention module in one size.

    Args:
        module: The module.
        site: What it is.
        tally: What was seen of it; it was called.
        times: Of a pass, or None.
        operations: Those that tell how it is computed.
        item_bytes: Of a weight.
    """
    queries, keys = _count_tokens(module, site, tally)
    kernel = name_kernel(operations)
    pairs = site.areas * site.heads * queries * keys
    flops = 2 * pairs * (site.head_size + site.value_size)
    if site.is_cross:
        flops = sum(tally.flops[name] for name in _SAMPLING)
    return AttentionBlock(
        site=site,
        queries=queries,
        keys=keys,
        kernel=kernel,
        operations=operations,
        cost=Cost(
            sum(tally.flops.values()) / 1e9,
            tally.written_bytes / 1e6,
            None if times is None else times.sum_of([site.module]),
            tally.read_bytes / 1e6,
        ),
        products_gflops=flops / 1e9,
        matrix_mb=pairs * item_bytes / 1e6 if kernel == "explicit softmax" else 0.0,
    )


def _count_tokens(module: Any, site: AttentionSite, tally: ModuleTally) -> tuple[int, int]:
    """Queries and keys of one area."""
    first = tally.inputs[0]
    if site.module_type == "MSDeformAttn":
        return first[1], tally.inputs[2][1]
    if site.module_type == "MultiheadAttention":
        axis = 1 if module.batch_first else 0
        return first[axis], tally.inputs[1][axis]
    tokens = math.prod(first[2:]) // site.areas
    return tokens, tokens
