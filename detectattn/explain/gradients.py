"""Gradients for maps; where memory does not suffice for them, which size of picture it suffices for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from detectattn.attention.gradient import compute_gradients
from detectattn.attention.maps.base import GradientRecord
from detectattn.engines.detector import Detector
from detectattn.errors import OutOfMemory
from detectattn.types import F32, U8, Detections

# As attention is captured: a few steps lead to a size that fits.
_STEP = 0.75


def find_gradients(
    detector: Detector, bgr: U8, detections: Detections, *, levels: Sequence[F32] = (), pixels: bool
) -> GradientRecord:
    """As :func:`~detectattn.attention.gradient.compute_gradients`.

    Raises:
        OutOfMemory: The memory does not suffice; the hint names a size that fits, if one does.
    """
    try:
        return compute_gradients(detector, bgr, detections, levels=levels, pixels=pixels)
    except OutOfMemory as error:
        size_hw = _find_fitting_size(detector, bgr, pixels=pixels)
        if size_hw is None:
            raise
        hint = f"Use --imgsz {max(size_hw)}, which fits, or --maps of attention alone"
        raise OutOfMemory(error.problem, hint=hint) from error


def _find_fitting_size(detector: Detector, bgr: U8, *, pixels: bool) -> tuple[int, int] | None:
    """The largest tried input size below the detector's own at which gradients of one detection fit; None for none."""
    stride, net_hw = detector.engine.spec.stride, detector.engine.spec.net_hw
    # Any row will do: what matters is how large everything is.
    zeros = np.zeros(1, np.int32)
    one = Detections(np.zeros((1, 4), np.float32), np.zeros(1, np.float32), zeros, zeros)
    while min(net_hw) > stride:
        net_hw = (_shrink(net_hw[0], stride), _shrink(net_hw[1], stride))
        with _at_size(detector, net_hw):
            try:
                compute_gradients(detector, bgr, one, pixels=pixels)
            except OutOfMemory:
                continue
        return net_hw
    return None


def _shrink(side: int, stride: int) -> int:
    return max(int(side * _STEP) // stride * stride, stride)


@contextmanager
def _at_size(detector: Detector, net_hw: tuple[int, int]) -> Iterator[None]:
    """The detector with another input size while the block goes on."""
    spec = detector.engine.spec
    detector.engine.spec = replace(spec, net_hw=net_hw)
    try:
        yield
    finally:
        detector.engine.spec = spec
