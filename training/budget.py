"""What a model costs: ``python -m training.budget`` compares the pair."""

from __future__ import annotations

from dataclasses import dataclass

from detectattn.engines.decoder_cut import find_head
from detectattn.engines.flops import count_gflops
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
    """Count a recipe's model at ``size_px``, by default at its own size; see :mod:`detectattn.engines.flops`."""
    side = size_px or recipe.size_px
    model = make_ready(build_trainable(recipe, _CLASSES))
    head = find_head(model)
    return Budget(
        params_m=sum(p.numel() for p in model.parameters()) / 1e6,
        gflops=count_gflops(model, (side, side)),
        queries=int(getattr(head, "num_queries", 0)),
        layers=int(getattr(head, "num_decoder_layers", 0)),
    )


def main() -> None:
    """Print a table."""
    print(f"{'model':>12} {'px':>4} {'M params':>9} {'GFLOPs':>7}")
    for recipe in RECIPES.values():
        for size_px in (320, 416):
            budget = compute_budget(recipe, size_px)
            print(f"{recipe.name:>12} {size_px:4d} {budget.params_m:9.2f} {budget.gflops:7.3f}")


if __name__ == "__main__":
    main()
