"""The roofs of the device that a model runs on, and where the model and its blocks lie under them."""

from __future__ import annotations

from dataclasses import replace

import torch

from detectattn.attention.memory import read_free_mb
from detectattn.engines.device_peak import measure_peak
from detectattn.engines.pytorch import TorchEngine, is_out_of_memory
from detectattn.machine import read_cache_bytes
from detectattn.results.inspection import ModelInspection, SizeInspection
from detectattn.results.ledger import Cost
from detectattn.results.roofline import Roof, RoofShare, find_share, make_roof

_DTYPES = {"fp32": torch.float32, "fp16": torch.float16}


def measure_roof(engine: TorchEngine) -> Roof | None:
    """Measure the device of an engine in its precision and on its threads; None where memory does not suffice."""
    device = torch.device(engine.spec.device)
    free_mb = read_free_mb(device)
    try:
        peak = measure_peak(
            device,
            _DTYPES[engine.spec.precision],
            cache_bytes=read_cache_bytes() if device.type == "cpu" else None,
            free_bytes=None if free_mb is None else int(free_mb * 1e6),
        )
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    return make_roof(
        engine.spec.device,
        engine.spec.precision,
        torch.get_num_threads() if device.type == "cpu" else None,
        gflop_s=peak.gflop_s,
        gbyte_s=peak.gbyte_s,
        matrix_side=peak.matrix_side,
        array_mb=peak.array_mb,
        cache_mb=peak.cache_mb,
    )


def put_under_roof(model: ModelInspection, roof: Roof) -> ModelInspection:
    """The same with the place of every pass and block that was timed under the roofs."""
    return replace(model, roof=roof, sizes=tuple(_put_size(size, roof) for size in model.sizes))


def _put_size(size: SizeInspection, roof: Roof) -> SizeInspection:
    blocks = tuple(replace(block, at_roof=_find(block.cost, roof)) for block in size.blocks)
    return replace(size, at_roof=_find(size.whole, roof), blocks=blocks)


def _find(cost: Cost, roof: Roof) -> RoofShare | None:
    return find_share(cost.gflops, cost.moved_mb, cost.time_ms, roof)
