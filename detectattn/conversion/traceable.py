"""A PyTorch model for the time of an export: its raw head alone, without what earlier passes left in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from detectattn.conversion.settings import ConversionSettings
from detectattn.engines.decoder_cut import find_head

if TYPE_CHECKING:
    from detectattn.engines.pytorch import TorchEngine

# Of what a free height and width are traced with, in strides: not square, so that a swap would show.
_TRACE_STRIDES_HW = (2, 3)
_TRACE_BATCH = 2


class _RawHead(nn.Module):
    """What :class:`~detectattn.engines.pytorch.TorchEngine` returns: one tensor, or boxes and scores."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: torch.Tensor) -> Any:
        return self.model(pixels)[0]


@contextmanager
def traceable(engine: TorchEngine, settings: ConversionSettings) -> Iterator[tuple[nn.Module, torch.Tensor]]:
    """A module to trace and an example input for it; the engine is as before when the block ends.

    Args:
        engine: On the CPU, in FP32.
        settings: Resolved. Where height and width stay free, a small input is enough to trace with.

    Yields:
        The module, pictures f32[N, 3, h, w] to one tensor or two; and pictures of zeros.
    """
    head: Any = find_head(engine.model)
    engine.model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # stubs lack this overload
    _forget_shapes(head)
    head.dynamic = bool(settings.dynamic)
    try:
        yield _RawHead(engine.model).eval(), torch.zeros(_example_shape(engine, settings))
    finally:
        head.dynamic = False
        _forget_shapes(head)
        engine.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs lack this overload


def _example_shape(engine: TorchEngine, settings: ConversionSettings) -> tuple[int, int, int, int]:
    spec = engine.spec
    height, width = settings.net_hw or spec.net_hw
    if settings.dynamic:
        height, width = (spec.stride * count for count in _TRACE_STRIDES_HW)
    return settings.batch or _TRACE_BATCH, 3, height, width


def _forget_shapes(head: Any) -> None:
    """Heads keep anchors of the last input; while tracing, those would become constants of another size."""
    if hasattr(head, "num_queries"):
        head.shapes = []
    else:
        head.shape = None
