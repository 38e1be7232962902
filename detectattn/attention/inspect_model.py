"""What a model is made of and what its attention costs, from small pictures to large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import nn

from detectattn.attention.block_cost import build_blocks, describe_attention
from detectattn.attention.block_time import PassTimes, time_blocks
from detectattn.attention.find import find_attention
from detectattn.attention.fitting_size import find_fitting_size
from detectattn.attention.kernels import find_kernels, try_fused
from detectattn.attention.ledger import find_crossings, fit_growths
from detectattn.attention.memory import predict_peak_mb, read_free_mb
from detectattn.attention.operations import ModuleTally, watch_pass
from detectattn.attention.reconcile import PUBLISHED_HW, reconcile
from detectattn.attention.softmax import capture_heads
from detectattn.attention.stages import BlockPlan, plan_blocks
from detectattn.engines.pytorch import TorchEngine, check_size, is_out_of_memory
from detectattn.errors import OutOfMemory
from detectattn.results.inspection import (
    AttentionBlock,
    FusedTrial,
    ModelInspection,
    SizeInspection,
    SkippedSize,
    Timing,
)
from detectattn.results.ledger import Reconciliation

Size = tuple[int, int]
Seen = TypeVar("Seen")

_SHARES_OF_OWN = (0.5, 1.0, 1.5, 2.0)
_SEED = 0


@dataclass(frozen=True, slots=True)
class InspectOptions:
    """How a model is looked at.

    Attributes:
        timed: Whether anything is timed; without, everything is counted.
        budget_s: About how long passes are timed at each size; three rounds are made at least.
        published: GFLOPs that were published for the model at 640×640, and where; None for an unpublished one.
    """

    timed: bool = True
    budget_s: float = 3.0
    published: tuple[float, str] | None = None


def choose_sizes(engine: TorchEngine, wanted: Sequence[Size]) -> tuple[Size, ...]:
    """The sizes to look at, ascending; half, one, one and a half and two times the model's own where none is wanted.

    Raises:
        BadImageSize: The model cannot take one of them; the nearest that it can take is named.
    """
    stride = engine.spec.stride
    if not wanted:
        wanted = [_scale(engine.spec.net_hw, share, stride) for share in _SHARES_OF_OWN]
    return tuple(sorted({check_size(size, stride) for size in wanted}, key=lambda hw: (hw[0] * hw[1], hw)))


def _scale(net_hw: Size, share: float, stride: int) -> Size:
    height, width = (max(stride, round(side * share / stride) * stride) for side in net_hw)
    return height, width


def inspect_model(
    engine: TorchEngine,
    name: str,
    sha256: str,
    sizes: Sequence[Size],
    options: InspectOptions,
    on_size: Callable[[Size], None] = lambda _: None,
) -> ModelInspection:
    """Look at a model at several sizes, from small to large; where memory runs out, the figures so far stay.

    Args:
        engine: The model, loaded at its own size.
        name: What it is called.
        sha256: Of its weights.
        sizes: Ascending, as :func:`choose_sizes` gives them.
        options: How to look.
        on_size: Told of each size before it is looked at.

    Raises:
        OutOfMemory: Not even the smallest size fits.
    """
    subject = Subject(engine.model, torch.device(engine.spec.device))
    done, skipped = _look_at_sizes(subject, sizes, options, on_size)
    if not done:
        raise _nothing_fits(engine, name, sizes[0])
    return ModelInspection(
        name=name,
        family=engine.spec.family,
        sha256=sha256,
        device=engine.spec.device,
        precision=engine.spec.precision,
        params=sum(parameter.numel() for parameter in engine.model.parameters()),
        own_hw=engine.spec.net_hw,
        sizes=tuple(done),
        growth=fit_growths(done),
        crossings=find_crossings(done),
        reconciliation=_reconcile(subject, done, engine.spec.net_hw, options.published),
        skipped=skipped,
    )


def _look_at_sizes(
    subject: Subject, sizes: Sequence[Size], options: InspectOptions, on_size: Callable[[Size], None]
) -> tuple[list[SizeInspection], tuple[SkippedSize, ...]]:
    """What was seen at each size, up to the first that does not fit; and those that were left out."""
    done: list[SizeInspection] = []
    for net_hw in sizes:
        on_size(net_hw)
        reason = _foresee_lack(subject, done, net_hw)
        found = None if reason else _within_memory(partial(subject.look, net_hw, options))
        if found is None:
            first = SkippedSize(net_hw, reason or "memory ran out")
            too_large = f"larger than {_say(net_hw)}, which does not fit"
            return done, (first, *(SkippedSize(size, too_large) for size in sizes[len(done) + 1 :]))
        done.append(found)
    return done, ()


class Subject:
    """A model and what does not depend on the size of the picture."""

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        self.model = model
        self.device = device
        self.sites = find_attention(model)
        self.plan: BlockPlan = plan_blocks(model, self.sites)

    def make_pixels(self, net_hw: Size) -> torch.Tensor:
        """Noise as the engine hands pictures to the model: its device, precision and layout."""
        noise = torch.rand(1, 3, *net_hw, generator=torch.Generator().manual_seed(_SEED))
        pixels = noise.to(self.device, dtype=next(self.model.parameters()).dtype)
        return pixels if self.device.type == "mps" else pixels.to(memory_format=torch.channels_last)

    def look(self, net_hw: Size, options: InspectOptions) -> SizeInspection:
        """All that there is to see at one size."""
        pixels = self.make_pixels(net_hw)
        modules = tuple(self.plan.iter_modules())
        tallies = watch_pass(self.model, pixels, modules)
        times = time_blocks(self.model, pixels, modules, budget_s=options.budget_s) if options.timed else None
        blocks = build_blocks(self.model, self.plan, tallies, times)
        return SizeInspection(
            net_hw=net_hw,
            whole=blocks[0].cost,
            blocks=blocks,
            attention=self.describe(pixels, tallies, times),
            peak_mb=blocks[0].peak_mb,
            timing=None if times is None else _sum_up(times, self.plan),
            fused=self.try_fused(pixels) if options.timed else None,
        )

    def describe(
        self, pixels: torch.Tensor, tallies: Mapping[str, ModuleTally], times: PassTimes | None
    ) -> tuple[AttentionBlock, ...]:
        """The attention modules that ran."""
        called = [site for site in self.sites if tallies[site.module].inputs]
        if not called:
            return ()
        kernels = find_kernels(self.model, pixels, called)
        item_bytes = pixels.element_size()
        return tuple(
            describe_attention(
                self.model.get_submodule(site.module),
                site,
                tallies[site.module],
                times,
                kernels[site.module],
                item_bytes,
            )
            for site in called
        )

    def count_attention(self, pixels: torch.Tensor) -> tuple[AttentionBlock, ...]:
        """The same without times, from a pass of its own."""
        return self.describe(pixels, watch_pass(self.model, pixels, [site.module for site in self.sites]), None)

    def try_fused(self, pixels: torch.Tensor) -> FusedTrial | None:
        """Fused against explicit attention; None where there is none with a softmax over tokens."""
        heads = capture_heads(self.model, pixels, self.sites)
        return try_fused(heads) if heads else None


def _sum_up(times: PassTimes, plan: BlockPlan) -> Timing:
    blocks = times.sum_of(module for part in plan.children for block in _list_blocks(part) for module in block.modules)
    return Timing(len(times.whole), times.whole_ms, times.measured_ms, blocks, times.spread)


def _list_blocks(part: BlockPlan) -> Iterable[BlockPlan]:
    """A part that is a module itself, or the blocks that it is the sum of."""
    return (part,) if part.modules else part.children


def _within_memory(look: Callable[[], Seen]) -> Seen | None:
    """What is seen; None where memory runs out."""
    try:
        return look()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


def _foresee_lack(subject: Subject, done: Sequence[SizeInspection], net_hw: Size) -> str | None:
    """Why a size is not even tried: a system that runs out of memory may end the program instead of failing a call."""
    free_mb = read_free_mb(subject.device)
    if not done or free_mb is None:
        return None
    needed_mb = predict_peak_mb(done[-1], net_hw)
    if needed_mb <= free_mb:
        return None
    return f"it would take about {needed_mb / 1e3:.3g} GB, and {free_mb / 1e3:.3g} GB are free"


def _nothing_fits(engine: TorchEngine, name: str, smallest: Size) -> OutOfMemory:
    fitting = find_fitting_size(engine, smallest)
    hint = "Free some memory, or take a smaller model"
    if fitting is not None:
        hint = f"{_say(fitting)} fits: pass --imgsz {fitting[0]}x{fitting[1]}"
    return OutOfMemory(f"{engine.spec.device} has too little memory to look at {name} at {_say(smallest)}", hint=hint)


def _reconcile(
    subject: Subject, done: Sequence[SizeInspection], own_hw: Size, published: tuple[float, str] | None
) -> Reconciliation | None:
    """The count of operations at the published size, or else the model's own; None where that does not fit."""
    net_hw = own_hw if published is None else PUBLISHED_HW
    if _foresee_lack(subject, done, net_hw) is not None:
        return None
    known = next((size for size in done if size.net_hw == net_hw), None)
    return _within_memory(partial(_count_at, subject, net_hw, known, published))


def _count_at(
    subject: Subject, net_hw: Size, known: SizeInspection | None, published: tuple[float, str] | None
) -> Reconciliation:
    pixels = subject.make_pixels(net_hw)
    attention = subject.count_attention(pixels) if known is None else known.attention
    return reconcile(subject.model, pixels, attention, published)


def _say(net_hw: Size) -> str:
    return f"{net_hw[0]}×{net_hw[1]}"
