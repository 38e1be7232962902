"""Passes and their blocks are timed by the clock that is given, and nothing is left behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from detectattn.attention.block_time import PassTimes, time_blocks


class CountingClock:
    """Every mark is one millisecond after the one before."""

    def __init__(self) -> None:
        self.now = 0
        self.settled = 0

    def mark(self) -> int:
        self.now += 1
        return self.now

    def settle(self) -> None:
        self.settled += 1

    def between_ms(self, start: int, end: int) -> float:
        return float(end - start)


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Identity()
        self.other = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.other(self.inner(self.inner(x)))


def test_calls_of_a_module_add_up_in_each_round() -> None:
    clock = CountingClock()
    times = time_blocks(Twice(), torch.zeros(1), ["", "inner", "other"], budget_s=0, clock=clock)
    assert times.whole == (1.0,) * 3
    # Marks of a measured pass: start, model, inner, inner, inner, inner, other, other, model, end.
    assert times.measured == (9.0,) * 3
    assert times.blocks == {"inner": (2.0,) * 3, "other": (1.0,) * 3, "": (7.0,) * 3}
    assert times.sum_of(["inner", "other"]) == 3.0
    assert clock.settled > 0


def test_more_rounds_are_made_where_they_take_little() -> None:
    assert len(time_blocks(Twice(), torch.zeros(1), [], budget_s=0.016, clock=CountingClock()).whole) == 8
    assert len(time_blocks(Twice(), torch.zeros(1), [], budget_s=9, clock=CountingClock()).whole) == 15


def test_hooks_are_gone_whatever_happens() -> None:
    class Breaks(CountingClock):
        def mark(self) -> int:
            if self.now == 9:
                raise RuntimeError("no more")
            return super().mark()

    model = Twice()
    with pytest.raises(RuntimeError, match="no more"):
        time_blocks(model, torch.zeros(1), ["inner"], clock=Breaks())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_the_spread_is_that_of_the_middle_half() -> None:
    times = PassTimes((10.0, 11.0, 12.0, 13.0, 90.0), (1.0,), {})
    assert times.whole_ms == 12.0
    assert times.spread == pytest.approx(2 / 12)
