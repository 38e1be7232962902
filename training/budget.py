"""What a model costs: ``python -m training.budget`` compares the pair."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from training.accuracy import make_ready
from training.recipe import RECIPES, Recipe, build_trainable

_CLASSES = ("person", "bicycle", "car", "bus", "truck", "traffic light")


@dataclass(frozen=True, slots=True)
class Budget:
    """Size and cost of a model, fused.

    Attributes:
        params_m: Parameters in millions.
        gflops: Floating-point operations for one picture in billions, a multiplication and an addition counting as two.
        queries: Of an RT-DETR's decoder; 0 for others.
        layers: Of an RT-DETR's decoder; 0 for others.
    """

    params_m: float
    gflops: float
    queries: int
    layers: int


def compute_budget(recipe: Recipe, size_px: int | None = None) -> Budget:
    """Count a recipe's model at ``size_px``, by default at its own size.

    torch's counter takes convolutions and all matrix products, those inside attention too. Bilinear sampling, which it
    does not know, is added: for each point 4 products and 3 sums a channel, and a product and a sum for its weight.
    Normalisation, activation and softmax are left out, as is usual.
    """
    side = size_px or recipe.size_px
    model = make_ready(build_trainable(recipe, _CLASSES))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, side, side))
    head = list(model.model)[-1]  # type: ignore[arg-type]  # Ultralytics models hold an nn.Sequential
    queries, layers = int(getattr(head, "num_queries", 0)), int(getattr(head, "num_decoder_layers", 0))
    return Budget(
        params_m=sum(p.numel() for p in model.parameters()) / 1e6,
        gflops=(counter.get_total_flops() + sum(_sampling_flops(m, queries) for m in model.modules())) / 1e9,
        queries=queries,
        layers=layers,
    )


def _sampling_flops(module: nn.Module, queries: int) -> int:
    if type(module).__name__ != "MSDeformAttn":
        return 0
    return int(queries * module.n_levels * module.n_points * module.d_model * 9)  # type: ignore[operator]  # ints


def main() -> None:
    """Print a table."""
    print(f"{'model':>12} {'px':>4} {'M params':>9} {'GFLOPs':>7}")
    for recipe in RECIPES.values():
        for size_px in (320, 416):
            budget = compute_budget(recipe, size_px)
            print(f"{recipe.name:>12} {size_px:4d} {budget.params_m:9.2f} {budget.gflops:7.3f}")


if __name__ == "__main__":
    main()
