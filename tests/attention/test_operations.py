"""What is seen of a pass adds up: to the whole count of operations, to the bytes that a person would count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from detectattn.attention.block_cost import REST, build_blocks
from detectattn.attention.block_time import PassTimes
from detectattn.attention.find import find_attention
from detectattn.attention.operations import watch_pass
from detectattn.attention.stages import plan_blocks
from detectattn.engines.flops import count_gflops
from detectattn.results.inspection import BlockCost

KB = 4 * 250  # a tensor of 250 floats


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def build(model: Any, side: int = 96) -> tuple[BlockCost, ...]:
    plan = plan_blocks(model, find_attention(model))
    modules = tuple(plan.iter_modules())
    tallies = watch_pass(model, torch.zeros(1, 3, side, side), modules)
    times = PassTimes((100.0,) * 3, (101.0,) * 3, dict.fromkeys(modules, (1.0, 1.0, 1.0)))
    return build_blocks(model, plan, tallies, times)


def list_children(blocks: tuple[BlockCost, ...], place: int) -> list[BlockCost]:
    children = []
    for block in blocks[place + 1 :]:
        if block.depth <= blocks[place].depth:
            break
        if block.depth == blocks[place].depth + 1:
            children.append(block)
    return children


@pytest.mark.parametrize("name", ["demo-rtdetr", "demo-yolo", "yolo12n"])
def test_blocks_add_up_to_the_whole_count(name: str, noisy_model: Any) -> None:
    model = noisy_model(name)
    blocks = build(model)
    assert blocks[0].cost.gflops == pytest.approx(count_gflops(model, (96, 96)), rel=1e-12)
    assert blocks[0].params == sum(p.numel() for p in model.parameters())
    parents = 0
    for place, block in enumerate(blocks):
        children = list_children(blocks, place)
        if children:
            parents += 1
            assert sum(c.cost.gflops for c in children) == pytest.approx(block.cost.gflops, rel=1e-9, abs=1e-12)
            assert sum(c.cost.written_mb for c in children) == pytest.approx(block.cost.written_mb, rel=1e-9)
            assert sum(c.cost.read_mb for c in children) == pytest.approx(block.cost.read_mb, rel=1e-9)
            assert sum(c.params for c in children) == block.params
            assert block.peak_mb >= max(c.peak_mb for c in children)
    assert parents >= 5


def test_what_a_block_does_outside_its_children_is_one_of_them(noisy_model: Any) -> None:
    blocks = build(noisy_model("demo-rtdetr"))
    [encoder] = [i for i, block in enumerate(blocks) if block.label == "10 AIFI"]
    attention, rest = list_children(blocks, encoder)
    assert (attention.attention, rest.label) == ("global", REST)
    # Two linear layers between 96 and 384 channels, for 3 × 3 tokens; the embedding of their places adds a little.
    assert rest.cost.gflops == pytest.approx(2 * 2 * 9 * 96 * 384 / 1e9, rel=1e-3)


def test_shapes_are_those_of_the_call(noisy_model: Any) -> None:
    blocks = {block.label: block for block in build(noisy_model("demo-yolo"))}
    assert blocks["0 Conv"].inputs == ((1, 3, 96, 96),)
    assert blocks["0 Conv"].outputs == ((1, 16, 48, 48),)
    assert blocks["head: 23 Detect"].inputs == ((1, 64, 12, 12), (1, 128, 6, 6), (1, 256, 3, 3))


class Steps(nn.Module):
    """Runs what it is given on its input."""

    def __init__(self, run: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.run = run

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.run(x)


def chain(x: torch.Tensor) -> torch.Tensor:
    for _ in range(5):
        x = x + 1
    return x


@pytest.mark.parametrize(
    ("run", "written", "peak"),
    [
        (lambda x: x + 1, KB, KB),
        (chain, 5 * KB, 2 * KB),  # each is gone once the next is there
        (lambda x: (x + 1) + (x + 2), 3 * KB, 3 * KB),
        (lambda x: (x + 1).add_(1), 2 * KB, KB),  # written twice, held once
        (lambda x: (x + 1).view(10, 25).t().flatten(), 2 * KB, 2 * KB),  # a view takes nothing, its copy does
        (lambda x: x.view(10, 25), 0, 0),
        (lambda x: x, 0, 0),
    ],
)
def test_bytes_are_those_that_a_person_counts(
    run: Callable[[torch.Tensor], torch.Tensor], written: int, peak: int
) -> None:
    model = Steps(run)
    tally = watch_pass(model, torch.zeros(250), [""])[""]
    assert (tally.written_bytes, tally.peak_bytes) == (written, peak)
    assert not model._forward_hooks
    assert not model._forward_pre_hooks


def test_what_came_before_does_not_count_as_held_by_a_block() -> None:
    model = nn.Sequential(Steps(lambda x: x.repeat(3)), Steps(lambda x: x + 1))
    tallies = watch_pass(model, torch.zeros(250), ["", "0", "1"])
    assert tallies["1"].peak_bytes == 3 * KB
    assert tallies[""].peak_bytes == 6 * KB


def test_a_module_that_is_not_called_has_seen_nothing() -> None:
    model = Steps(lambda x: x + 1)
    model.spare = nn.Linear(2, 2)
    tally = watch_pass(model, torch.zeros(250), ["", "spare"])["spare"]
    assert (tally.inputs, tally.written_bytes, sum(tally.flops.values())) == ((), 0, 0)


def test_a_module_that_is_called_twice_counts_twice() -> None:
    shared = nn.Linear(4, 4)
    model = Steps(lambda x: shared(shared(x)))
    model.shared = shared
    tally = watch_pass(model, torch.zeros(3, 4), ["shared"])["shared"]
    assert sum(tally.flops.values()) == 2 * 2 * 3 * 4 * 4
