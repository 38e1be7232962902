"""How long each block of a model takes, and what measuring that costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any, Protocol

import torch
from torch import nn

WARM_UP = 1
_FEWEST, _MOST = 3, 15


@dataclass(frozen=True, slots=True)
class PassTimes:
    """Times of passes in ms, a round each.

    Attributes:
        whole: Passes without hooks.
        measured: Passes with them, interleaved with the former.
        blocks: By path of the module, the sum of its calls in each measured pass; 0 where it was not called.
    """

    whole: tuple[float, ...]
    measured: tuple[float, ...]
    blocks: Mapping[str, tuple[float, ...]]

    @property
    def whole_ms(self) -> float:
        """Median of the passes without hooks."""
        return median(self.whole)

    @property
    def measured_ms(self) -> float:
        """Median of those with them."""
        return median(self.measured)

    @property
    def spread(self) -> float:
        """Width of the middle half of the passes without hooks, as a share of their median."""
        low, _, high = quantiles(self.whole, n=4, method="inclusive")
        return (high - low) / self.whole_ms

    def sum_of(self, modules: Iterable[str]) -> float:
        """Median over rounds of what several modules take together."""
        times = [self.blocks[module] for module in modules]
        return median(map(sum, zip(*times, strict=True))) if times else 0.0


class Clock(Protocol):
    """Marks moments on a device and tells what lies between them."""

    def mark(self) -> Any:
        """This moment, after all that was asked of the device so far."""
        ...

    def settle(self) -> None:
        """Wait until the device has done all of it; marks can be read then."""
        ...

    def between_ms(self, start: Any, end: Any) -> float:
        """Milliseconds between two marks."""
        ...


class HostClock:
    """For devices whose operations end before they return, or that can be waited for."""

    def __init__(self, wait: Callable[[], None] | None = None) -> None:
        self._wait = wait

    def mark(self) -> float:
        """Seconds."""
        self.settle()
        return time.perf_counter()

    def settle(self) -> None:
        """Wait for the device."""
        if self._wait is not None:
            self._wait()

    def between_ms(self, start: float, end: float) -> float:
        """Milliseconds."""
        return (end - start) * 1e3


class CudaClock:
    """Events in the device's own queue: nothing waits while a pass runs."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def mark(self) -> Any:
        """An event."""
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # PyTorch's
        event.record(torch.cuda.current_stream(self._device))
        return event

    def settle(self) -> None:
        """Wait for the device."""
        torch.cuda.synchronize(self._device)

    def between_ms(self, start: Any, end: Any) -> float:
        """Milliseconds."""
        return float(start.elapsed_time(end))


def make_clock(device: torch.device) -> Clock:
    """The clock of a device."""
    if device.type == "cuda":
        return CudaClock(device)
    return HostClock(torch.mps.synchronize if device.type == "mps" else None)


def time_blocks(
    model: nn.Module,
    pixels: torch.Tensor,
    modules: Iterable[str],
    *,
    budget_s: float = 3.0,
    clock: Clock | None = None,
) -> PassTimes:
    """Time passes of a model, in turn as it is and with its modules measured, after a warm-up.

    Args:
        model: In evaluation mode.
        pixels: [1, 3, h, w] on its device, in its precision and layout.
        modules: Paths of those to measure.
        budget_s: About how long it may take; 3 rounds at least, 15 at most.
        clock: By default that of the device.
    """
    clock = clock or make_clock(pixels.device)
    paths = tuple(modules)
    with torch.inference_mode():
        for _ in range(WARM_UP):
            last_ms = _time_pass(model, pixels, clock)
        rounds = min(_MOST, max(_FEWEST, int(budget_s * 1e3 / max(2 * last_ms, 1e-3))))
        whole, measured, marks = [], [], []
        for _ in range(rounds):
            whole.append(_time_pass(model, pixels, clock))
            with _mark_calls(model, paths, clock) as calls:
                measured.append(_time_pass(model, pixels, clock))
            marks.append(calls)
    blocks = {path: tuple(sum(clock.between_ms(*pair) for pair in calls[path]) for calls in marks) for path in paths}
    return PassTimes(tuple(whole), tuple(measured), blocks)


def _time_pass(model: nn.Module, pixels: torch.Tensor, clock: Clock) -> float:
    clock.settle()
    start = clock.mark()
    model(pixels)
    end = clock.mark()
    clock.settle()
    return clock.between_ms(start, end)


@contextmanager
def _mark_calls(model: nn.Module, paths: Iterable[str], clock: Clock) -> Iterator[Mapping[str, list[tuple[Any, Any]]]]:
    """Collect the marks at the start and end of each call of modules, by path."""
    calls: dict[str, list[tuple[Any, Any]]] = {path: [] for path in paths}
    hooks = []
    for path, pairs in calls.items():
        module = model.get_submodule(path)
        starts: list[Any] = []
        hooks.append(module.register_forward_pre_hook(_make_start(starts, clock)))
        hooks.append(module.register_forward_hook(_make_end(starts, pairs, clock)))
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


def _make_start(starts: list[Any], clock: Clock) -> Callable[..., None]:
    return lambda *_: starts.append(clock.mark())


def _make_end(starts: list[Any], pairs: list[tuple[Any, Any]], clock: Clock) -> Callable[..., None]:
    return lambda *_: pairs.append((starts.pop(), clock.mark()))
