"""ONNX Runtime: several calls side by side give what one after the other gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.onnx import count_streams
from tests.compare.tiny_onnx import write_tiny_onnx


@pytest.mark.parametrize(
    ("options", "threads", "expected"),
    [
        (EngineOptions(), 16, 1),
        (EngineOptions(hint="throughput"), 1, 1),
        (EngineOptions(hint="throughput"), 4, 4),
        (EngineOptions(hint="throughput"), 64, 8),
        (EngineOptions(hint="throughput", streams=2), 64, 2),
        (EngineOptions(streams=3), 2, 2),
    ],
)
def test_streams_suit_the_cores(options: EngineOptions, threads: int, expected: int) -> None:
    assert count_streams(options, threads) == expected


def test_side_by_side_gives_the_same(tmp_path: Path) -> None:
    weights = write_tiny_onnx(tmp_path)
    rng = np.random.default_rng(0)
    tensors = [rng.random((1, 3, 64, 64), np.float32) for _ in range(16)]
    single = open_detector(weights, EngineOptions(device="cpu"))
    several = open_detector(weights, EngineOptions(device="cpu", hint="throughput", streams=2, threads=2))
    assert several.engine.spec.streams == 2
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(several.engine.infer, tensors))
    for tensor, outputs in zip(tensors, found, strict=True):
        np.testing.assert_array_equal(outputs[0], single.engine.infer(tensor)[0])
