"""What a device reaches: operations and bytes are counted as they are of models, rates are those of the clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from detectattn.engines import device_peak
from detectattn.engines.device_peak import choose_array_bytes, measure_peak
from detectattn.engines.flops import watch_flops

CPU = torch.device("cpu")
MIB = 2**20


@pytest.mark.parametrize(
    ("cache", "free", "array"),
    [
        (None, None, 128 * MIB),
        (32 * MIB, None, 128 * MIB),
        (2 * MIB, None, 64 * MIB),
        (2**30, None, 512 * MIB),
        (32 * MIB, 256 * MIB, 32 * MIB),
    ],
)
def test_arrays_are_four_times_the_caches_and_fit(cache: int | None, free: int | None, array: int) -> None:
    assert choose_array_bytes(cache, free) == array


@pytest.mark.parametrize("make", [device_peak._make_product, device_peak._make_convolution])
def test_a_product_has_the_operations_that_it_is_said_to_have(make: object) -> None:
    run = make(64, CPU, torch.float32)  # type: ignore[operator]  # one of the two
    counted: list[int] = []
    with watch_flops(nn.Identity(), lambda _, flops: counted.append(flops)):
        run()
    assert counted == [2 * 64**3]


def test_rates_are_work_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_peak, "_time_runs", lambda _, runs, __: 0.01 * runs)
    peak = measure_peak(CPU, torch.float32, cache_bytes=MIB, free_bytes=8 * MIB)
    assert (peak.matrix_side, peak.array_mb, peak.cache_mb) == (512, MIB / 1e6, MIB / 1e6)
    assert (min(peak.gflop_s), max(peak.gflop_s)) == pytest.approx((2 * 512**3 / 0.01 / 1e9,) * 2)
    assert (min(peak.gbyte_s), max(peak.gbyte_s)) == pytest.approx((3 * MIB / 0.01 / 1e9,) * 2)


def test_what_is_too_short_to_be_timed_is_repeated_and_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def take(_: object, runs: int, __: object) -> float:
        seen.append(runs)
        return 0.001 * runs

    monkeypatch.setattr(device_peak, "_LARGEST_SIDE", 1024)
    monkeypatch.setattr(device_peak, "_time_runs", take)
    assert measure_peak(CPU, torch.float32, free_bytes=MIB).matrix_side == 1024
    assert set(seen) == {1, 4}


def test_it_answers_from_a_process_of_its_own() -> None:
    words = ["cpu", "1", "0", str(MIB)]
    command = [sys.executable, "-B", "-P", str(Path(device_peak.__file__)), *words]
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert set(answer) == {"gflop_s", "gbyte_s", "matrix_side", "array_mb", "cache_mb"}
    assert min(answer["gflop_s"]) > 0
    assert min(answer["gbyte_s"]) > 0


def test_it_imports_nothing_of_the_project() -> None:
    code = Path(device_peak.__file__).read_text()
    assert "import detectattn" not in code
    assert "from detectattn" not in code
