"""The pair is a fair pair: of about one cost, small, with something to cut."""

from __future__ import annotations

import pytest

from training.budget import Budget, compute_budget
from training.recipe import RECIPES


@pytest.fixture(scope="module")
def budgets() -> dict[str, Budget]:
    return {name: compute_budget(recipe) for name, recipe in RECIPES.items()}


def test_costs_are_within_15_percent(budgets: dict[str, Budget]) -> None:
    costs = sorted(budget.gflops for budget in budgets.values())
    assert costs[1] / costs[0] <= 1.15
    assert {recipe.size_px for recipe in RECIPES.values()} == {320}


def test_half_precision_stays_below_8_mb(budgets: dict[str, Budget]) -> None:
    assert all(2.0 < budget.params_m < 3.5 for budget in budgets.values())


def test_decoder_has_layers_and_queries_to_cut(budgets: dict[str, Budget]) -> None:
    assert budgets["demo-rtdetr"].layers >= 4
    assert budgets["demo-rtdetr"].queries >= 150
    assert (budgets["demo-yolo"].layers, budgets["demo-yolo"].queries) == (0, 0)


def test_cost_grows_with_the_picture() -> None:
    rtdetr = RECIPES["demo-rtdetr"]
    ratio = compute_budget(rtdetr, 640).gflops / compute_budget(rtdetr, 320).gflops
    # A convolution's cost grows by 4; a decoder has no more queries in a larger picture.
    assert 3 < ratio < 4
