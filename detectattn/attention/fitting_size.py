"""Which size of input fits into memory, found out by trying."""

from __future__ import annotations

import numpy as np

from detectattn.attention.hooks import open_capture
from detectattn.engines.pytorch import TorchEngine
from detectattn.errors import OutOfMemory

# Tokens × tokens takes a third of the memory at three quarters of a side: a few steps lead to a size that fits.
_STEP = 0.75


def find_fitting_size(engine: TorchEngine, net_hw: tuple[int, int]) -> tuple[int, int] | None:
    """The largest tried size of the same shape, below ``net_hw``, at which attention can be captured.

    Args:
        engine: A model whose memory ran out.
        net_hw: Height and width of the input at which it did.

    Returns:
        Height and width, multiples of the model's stride; None if nothing fits.
    """
    stride = engine.spec.stride
    while min(net_hw) > stride:
        net_hw = (_shrink(net_hw[0], stride), _shrink(net_hw[1], stride))
        try:
            with open_capture(engine.model):
                engine.infer(np.zeros((1, 3, *net_hw), np.float32))
        except OutOfMemory:
            continue
        return net_hw
    return None


def _shrink(side: int, stride: int) -> int:
    return max(int(side * _STEP) // stride * stride, stride)
