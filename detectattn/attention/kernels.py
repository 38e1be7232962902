"""Which kernel computes each attention today, and what a fused one would save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

import torch
from torch import nn

from detectattn.attention.block_time import Clock, make_clock
from detectattn.attention.softmax import FUSED, Heads, NameWatch, find_fused_kernel, run_explicit, run_fused
from detectattn.results.attention import AttentionSite
from detectattn.results.inspection import FusedTrial, Kernel

ROUNDS = 8
# A timing shorter than this is mostly that of the clock and the call.
_LEAST_MS = 4.0
_MOST_REPEATS = 50
# What tells how attention is computed; the rest of what a module runs is projections and changes of layout.
_TELLING = ("softmax", "bmm", FUSED, "grid_sampler", "multi_head_attention", "transformer_encoder_layer")


def find_kernels(
    model: nn.Module, pixels: torch.Tensor, sites: Iterable[AttentionSite]
) -> Mapping[str, tuple[str, ...]]:
    """The operations that tell how each attention module is computed, by its path, in the order in which they run.

    The model runs as it would anyway, fast paths included.

    Args:
        model: In evaluation mode.
        pixels: [1, 3, h, w] on its device, in its precision.
        sites: The modules.
    """
    running: list[str] = []
    found: dict[str, dict[str, None]] = {site.module: {} for site in sites}

    def note(name: str) -> None:
        if running and any(part in name for part in _TELLING):
            found[running[-1]].setdefault(name)

    with torch.no_grad(), _follow(model, found, running), NameWatch(note):
        model(pixels)
    return {module: tuple(names) for module, names in found.items()}


@contextmanager
def _follow(model: nn.Module, modules: Iterable[str], running: list[str]) -> Iterator[None]:
    """Keep ``running`` the paths of those modules that are running."""
    hooks = []
    for path in modules:
        module = model.get_submodule(path)
        hooks.append(module.register_forward_pre_hook(_make_push(running, path)))
        hooks.append(module.register_forward_hook(lambda *_: running.pop() and None))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _make_push(running: list[str], path: str) -> Callable[..., None]:
    return lambda *_: running.append(path)


def name_kernel(operations: Sequence[str]) -> Kernel:
    """What operations are: ``fused``, ``sampling``, or ``explicit softmax``."""
    if any(FUSED in name or "multi_head_attention" in name or "encoder_layer" in name for name in operations):
        return "fused"
    return "sampling" if any("grid_sampler" in name for name in operations) else "explicit softmax"


def try_fused(heads: Sequence[Heads], *, clock: Clock | None = None, rounds: int = ROUNDS) -> FusedTrial:
    """Time softmax attention as it runs today and by the fused kernel, in turn, on the same queries, keys and values.

    Args:
        heads: Of every module, not empty.
        clock: By default that of the device.
        rounds: How many.
    """
    clock = clock or make_clock(heads[0].query.device)
    with torch.inference_mode():
        error = max(_compare(one) for one in heads)
        repeats = _choose_repeats(heads, clock)
        times: dict[bool, list[float]] = {True: [], False: []}
        for number in range(rounds):
            # Which of them goes first changes, for the first may find other caches than the second.
            for fused in (True, False) if number % 2 else (False, True):
                times[fused].append(_time_all(run_fused if fused else run_explicit, heads, repeats, clock))
    return FusedTrial(tuple(times[False]), tuple(times[True]), find_fused_kernel(heads), error)


def _compare(heads: Heads) -> float:
    explicit, fused = run_explicit(heads).float(), run_fused(heads).float()
    return float((explicit - fused).abs().max() / explicit.abs().max().clamp_min(1e-12))


def _choose_repeats(heads: Sequence[Heads], clock: Clock) -> int:
    shortest = min(median(_time_all(run, heads, 1, clock) for _ in range(3)) for run in (run_explicit, run_fused))
    return max(1, min(_MOST_REPEATS, round(_LEAST_MS / max(shortest, 1e-3))))


def _time_all(run: Callable[[Heads], torch.Tensor], heads: Sequence[Heads], repeats: int, clock: Clock) -> float:
    """Milliseconds of one run over all modules, the mean of several."""
    clock.settle()
    start = clock.mark()
    for _ in range(repeats):
        for one in heads:
            run(one)
    end = clock.mark()
    clock.settle()
    return clock.between_ms(start, end) / repeats
