"""Bytes that operations read, as a person would count them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from detectattn.attention.operations import watch_pass

KB = 4 * 250  # a tensor of 250 floats


class Steps(nn.Module):
    """Runs what it is given on its input."""

    def __init__(self, run: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.run = run

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.run(x)


def count(module: nn.Module, pixels: torch.Tensor) -> int:
    return watch_pass(module, pixels, [""])[""].read_bytes


@pytest.mark.parametrize(
    ("run", "read"),
    [
        (lambda x: x + 1, KB),
        (lambda x: x + x, KB),  # the same tensor twice
        (lambda x: x + (x + 1), 3 * KB),
        (lambda x: torch.cat([x, x + 1]), 3 * KB),
        (lambda x: x.view(10, 25).t(), 0),  # a view
        (lambda x: x.view(10, 25)[:2] + 1, KB // 5),  # what the view shows
        (lambda x: x[:1].expand(250) + 1, 4),  # one value, repeated
        (lambda x: x.add_(1), KB),
        (lambda x: torch.empty(250).copy_(x), KB),  # written over, not read
        (lambda x: torch.zeros(250).fill_(3), 0),
        (lambda x: torch.neg(x, out=torch.empty(250)), KB),
        (lambda x: x[torch.tensor([1, 2])], 2 * 4 + 2 * 8),  # two values and their places
        (lambda x: x[:0] + 1, 0),
    ],
)
def test_bytes_are_those_that_a_person_counts(run: Callable[[torch.Tensor], torch.Tensor], read: int) -> None:
    assert count(Steps(run), torch.zeros(250)) == read


def test_weights_are_read() -> None:
    layer = nn.Conv2d(3, 8, 1)
    assert count(layer, torch.zeros(1, 3, 5, 5)) == 4 * (3 * 25 + 3 * 8 + 8)


def test_sampling_reads_no_more_than_the_neighbours_of_its_places() -> None:
    places = torch.zeros(1, 1, 2, 2)
    model = Steps(lambda x: nn.functional.grid_sample(x, places, align_corners=False))
    assert count(model, torch.zeros(1, 3, 50, 50)) == 4 * (4 * 2 * 3 + places.numel())


def test_children_add_up_to_what_holds_them() -> None:
    model = nn.Sequential(nn.Linear(5, 5), nn.ReLU())
    tallies = watch_pass(model, torch.zeros(2, 5), ["", "0", "1"])
    assert tallies["1"].read_bytes == 2 * 5 * 4
    assert tallies[""].read_bytes == tallies["0"].read_bytes + tallies["1"].read_bytes
