"""A run learns, and one that was stopped goes on as if it had not been."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.checkpoint import load_full, load_record, load_weights, write_full, write_weights
from training.diary import Sitting
from training.recipe import Recipe
from training.run import RunOptions, TrainingRun
from training.scene_cache import LabelledScene

NAMES = ("person", "bicycle", "car", "bus", "truck", "traffic light")


def start(recipe: Recipe, scenes: list[LabelledScene], *, epochs: int = 4, seed: int = 3) -> TrainingRun:
    run = TrainingRun(recipe, scenes, NAMES, RunOptions(epochs, seed))
    run.diary.sittings.append(Sitting("abc", len(scenes), epochs, recipe.batch, 1, "a processor", "2", True))
    return run


def assert_same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> None:
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []


def test_resumed_run_equals_uninterrupted_bit_for_bit(
    either: Recipe, scenes: list[LabelledScene], tmp_path: Path
) -> None:
    whole = start(either, scenes)
    losses = [whole.advance()["loss"] for _ in range(3)]
    first = start(either, scenes)
    assert [first.advance()["loss"]] == losses[:1]
    write_full(first, tmp_path / "last.pt")
    torch.manual_seed(99)
    second = start(either, scenes)
    assert load_full(second, tmp_path / "last.pt") == []
    assert [second.advance()["loss"] for _ in range(2)] == losses[1:]
    assert_same(second.model.state_dict(), whole.model.state_dict())
    assert_same(second.ema.model.state_dict(), whole.ema.model.state_dict())
    assert (second.step, second.epoch) == (whole.step, whole.epoch) == (3, 1.5)
    assert second.diary.sittings[0].images == 12


def test_options_that_differ_are_told(yolo: Recipe, scenes: list[LabelledScene], tmp_path: Path) -> None:
    write_full(start(yolo, scenes), tmp_path / "last.pt")
    changes = load_full(start(yolo, scenes, epochs=9), tmp_path / "last.pt")
    assert changes == ["epochs was 4 and is 9"]


def test_weights_alone_go_on_with_a_fresh_optimizer(yolo: Recipe, scenes: list[LabelledScene], tmp_path: Path) -> None:
    first = start(yolo, scenes)
    first.advance()
    path = tmp_path / f"{yolo.name}.safetensors"
    write_weights(first, path)
    assert path.stat().st_size < 8e6
    second = start(yolo, scenes, seed=7)
    load_weights(second, path)
    assert (second.step, second.epoch, second.images_since_start) == (1, 0.5, 0)
    assert second.optimizer.state_dict()["state"] == {}
    for name, tensor in first.ema.model.state_dict().items():
        torch.testing.assert_close(second.model.state_dict()[name], tensor, rtol=1e-3, atol=1e-6)
    assert load_record(path)["sittings"][0]["images"] == 4


def test_it_learns(rtdetr: Recipe, scenes: list[LabelledScene]) -> None:
    # YOLO's loss is divided by its targets' weight, which grows with what it learns: it tells nothing in a few steps.
    run = start(rtdetr, scenes, epochs=100)
    losses = [run.advance()["loss"] for _ in range(8)]
    assert sum(losses[-2:]) < 0.9 * sum(losses[:2])


def test_it_stops_at_the_last_epoch(yolo: Recipe, scenes: list[LabelledScene]) -> None:
    run = start(yolo, scenes, epochs=1)
    steps: list[dict[str, float]] = []
    run.advance_until(lambda: False, steps.append)
    assert len(steps) == run.steps_per_epoch == 2
    run.advance_until(lambda: False, steps.append)
    assert len(steps) == 2


@pytest.mark.parametrize("stop_after", [0, 1])
def test_it_stops_between_steps_when_told(stop_after: int, yolo: Recipe, scenes: list[LabelledScene]) -> None:
    run = start(yolo, scenes)
    steps: list[dict[str, float]] = []
    run.advance_until(lambda: len(steps) == stop_after, steps.append)
    assert run.step == stop_after
