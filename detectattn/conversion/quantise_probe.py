"""A quick look at what rounding does: the INT8 model beside the float one, in memory, on a few calibration inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from detectattn.conversion.gate_figures import GateFigures
from detectattn.conversion.gate_limits import MIN_PAIRS
from detectattn.conversion.gate_pairs import PairTally
from detectattn.conversion.gate_raw import Outputs, RawRows, compare_raw, read_rows
from detectattn.conversion.quantise_nncf import compile_model
from detectattn.engines.base import Engine
from detectattn.engines.postprocess import Thresholds, decode_detections
from detectattn.types import F32, Resize

OPERATING_CONF = 0.25
_INPUTS = 12
# Each model that is measured is compiled for each of them, which takes longer than to run it.
_SHAPES = 2
_RAW_INPUTS = 4
_NOISE = 1e-6


class Probe:
    """Remembers what the float model says of some inputs.

    Args:
        engine: The float model.
        inputs: f32[1, 3, h, w] each; a dozen of them are used, evenly spread over those of the two commonest shapes.
    """

    def __init__(self, engine: Engine, inputs: Sequence[F32]) -> None:
        self._layout = engine.spec.layout
        self._inputs = _choose(inputs)
        self._outputs = [engine.infer(tensor) for tensor in self._inputs]
        noise = np.random.default_rng(0)
        self._noisy = [
            engine.infer(tensor + noise.normal(0, _NOISE, tensor.shape).astype(np.float32))
            for tensor in self._inputs[:_RAW_INPUTS]
        ]

    def measure(self, quantised: Any) -> GateFigures:
        """How far a quantised form of the model is from it; boxes in pixels of the network's input."""
        infer = compile_model(quantised)
        tally = PairTally(OPERATING_CONF)
        keep = Thresholds(conf=tally.partner_conf)
        outputs = [infer(tensor) for tensor in self._inputs]
        for tensor, reference, candidate in zip(self._inputs, self._outputs, outputs, strict=True):
            resize = _as_it_is(tensor)
            found = [decode_detections(self._layout, raw, (resize,), keep)[0] for raw in (reference, candidate)]
            tally.add(found[0], found[1], resize)
        figures = tally.to_figures()
        return figures if figures.pair_count >= MIN_PAIRS else self._add_raw(figures, outputs)

    def _add_raw(self, figures: GateFigures, outputs: Sequence[Outputs]) -> GateFigures:
        net_hw = _as_it_is(self._inputs[0]).net_hw
        triples: list[tuple[RawRows, RawRows, RawRows]] = []
        for three in zip(self._outputs[:_RAW_INPUTS], outputs[:_RAW_INPUTS], self._noisy, strict=True):
            rows = [read_rows(self._layout, raw, net_hw) for raw in three]
            if rows[0] is None or rows[1] is None or rows[2] is None:
                return figures
            triples.append((rows[0], rows[1], rows[2]))
        return replace(figures, raw=compare_raw(self._layout, triples, net_hw))


def _choose(inputs: Sequence[F32]) -> list[F32]:
    common = {shape for shape, _ in Counter(tensor.shape for tensor in inputs).most_common(_SHAPES)}
    usable = [tensor for tensor in inputs if tensor.shape in common]
    rows = np.linspace(0, len(usable) - 1, min(_INPUTS, len(usable))).astype(int)
    return [usable[row] for row in rows]


def _as_it_is(tensor: F32) -> Resize:
    """The input taken for the picture: one pixel of it is one pixel."""
    size = (tensor.shape[2], tensor.shape[3])
    return Resize((1.0, 1.0), (0.0, 0.0), size, size)
