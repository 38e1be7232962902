"""Why an own count of operations differs from a published one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import torch
from torch import nn

from detectattn.attention.operations import ModuleTally, watch_pass
from detectattn.results.inspection import AttentionBlock
from detectattn.results.ledger import CountStep, Reconciliation

PUBLISHED_HW = (640, 640)
_SAMPLING = ("grid_sampler_2d", "deformable_sum")
# Below it a difference of sums is rounding.
_NOTHING = 1e-9


def find_foldable(model: nn.Module) -> tuple[str, ...]:
    """Paths of the modules that had a second, 1×1 branch until it was folded into their convolution (RepConv)."""
    return tuple(
        path
        for path, module in model.named_modules()
        if type(module).__name__ == "RepConv" and isinstance(getattr(module, "conv", None), nn.Conv2d)
    )


def reconcile(
    model: nn.Module,
    pixels: torch.Tensor,
    attention: Sequence[AttentionBlock],
    published: tuple[float, str] | None,
) -> Reconciliation:
    """Count a model's operations by what they are part of, and lead the count to the published one.

    What may lie between the two: attention products, which older counters had no rule for; and branches that are
    folded into one convolution before a model runs. Those terms are taken that come closest to the published figure.

    Args:
        model: In evaluation mode, layers folded.
        pixels: [1, 3, h, w] on its device, in its precision; at 640×640 for published figures.
        attention: At this size.
        published: GFLOPs and where they are from, or None.
    """
    foldable = find_foldable(model)
    tallies = watch_pass(model, pixels, ["", *foldable])
    own = sum(tallies[""].flops.values()) / 1e9
    by_operation = _split_operations(tallies[""], attention)
    steps = (
        () if published is None else _choose_steps(list(_iter_steps(model, tallies, by_operation)), own, published[0])
    )
    height, width = pixels.shape[2:]
    return Reconciliation(
        net_hw=(int(height), int(width)),
        own_gflops=own,
        by_operation=by_operation,
        published_gflops=published[0] if published else None,
        source=published[1] if published else None,
        steps=steps,
        explained_gflops=own + math.fsum(step.gflops for step in steps) if published else None,
        library_gflops=_ask_library(model, (int(height), int(width))),
    )


def _split_operations(whole: ModuleTally, attention: Sequence[AttentionBlock]) -> dict[str, float]:
    """GFLOPs of a pass by what they are part of."""
    convolutions = whole.flops["convolution"] / 1e9
    sampling = sum(whole.flops[name] for name in _SAMPLING) / 1e9
    products = math.fsum(block.products_gflops for block in attention if not block.site.is_cross)
    rest = sum(whole.flops.values()) / 1e9 - convolutions - sampling - products
    return {
        "convolutions": convolutions,
        "linear layers": rest if rest > _NOTHING else 0.0,
        "attention products": products,
        "sampling": sampling,
    }


def _iter_steps(
    model: nn.Module, tallies: Mapping[str, ModuleTally], by_operation: Mapping[str, float]
) -> Iterator[CountStep]:
    products = by_operation["attention products"] + by_operation["sampling"]
    if products:
        yield CountStep("products inside attention, not counted there", -products)
    branches = sum(_branch_flops(model.get_submodule(path), tallies[path]) for path in tallies if path)
    if branches:
        yield CountStep("1×1 branches (RepConv), there not yet folded away", branches / 1e9)


def _branch_flops(module: Any, tally: ModuleTally) -> int:
    return sum(2 * math.prod(shape) * int(module.conv.weight.shape[1]) for shape in tally.outputs)


def _choose_steps(steps: Sequence[CountStep], own: float, published: float) -> tuple[CountStep, ...]:
    """Those that lead closest to the published figure; the fewest of equals."""
    choices = [c for number in range(len(steps) + 1) for c in combinations(steps, number)]
    return min(choices, key=lambda chosen: abs(own + math.fsum(step.gflops for step in chosen) - published))


def _ask_library(model: nn.Module, net_hw: tuple[int, int]) -> float | None:
    """What Ultralytics' own counter says; None where it is not installed, or fails."""
    from ultralytics.utils.torch_utils import get_flops

    counted = float(get_flops(model, list(net_hw)))
    return counted or None
