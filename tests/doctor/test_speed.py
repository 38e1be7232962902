"""What is said of the speed of devices, and how it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from detectattn.doctor import ask as asking
from detectattn.doctor import speed
from detectattn.doctor.ask import Answer
from detectattn.doctor.speed import check_speed, measure_devices

FACTS: dict[str, Any] = {
    "gflop_s": [190.0, 188.0, 189.0], "gbyte_s": [21.4, 21.0, 21.2],
    "matrix_side": 1024, "array_mb": 134.2, "cache_mb": None,
}  # fmt: skip


def test_devices_are_told_by_their_rates() -> None:
    cpu, gpu = check_speed({"cpu": Answer(FACTS), "cuda:1": Answer(FACTS)}, 2)
    assert (cpu.name, cpu.status, cpu.detail) == ("CPU", "ok", "190 GFLOP/s in fp32 on 2 threads, 21.4 GB/s of memory")
    assert (gpu.name, gpu.detail) == ("CUDA 1", "190 GFLOP/s in fp32, 21.4 GB/s of memory")


def test_a_busy_machine_and_a_device_without_an_answer() -> None:
    busy, gone = check_speed(
        {"cpu": Answer(FACTS | {"gbyte_s": [10.0, 20.0, 30.0]}), "mps": Answer(None, "crashed with signal 11")}, 1
    )
    assert busy.status == "warn"
    assert busy.detail.endswith("30.0 GB/s of memory; timings differ by 50%, so the machine was busy")
    assert busy.hint == "Stop other work and measure again"
    assert (gone.name, gone.status, gone.detail) == ("MPS", "warn", "could not be measured (crashed with signal 11)")


def test_each_device_is_asked_with_what_is_known_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "stand_in.py"
    script.write_text("import sys, json; print(json.dumps({'asked': sys.argv[1:]}))")
    monkeypatch.setattr(asking, "_PEAK", script)
    monkeypatch.setattr(speed, "count_usable_cores", lambda: 6)
    monkeypatch.setattr(speed, "read_cache_bytes", lambda: None)
    monkeypatch.setattr(speed, "read_memory_bytes", lambda: 7)
    found = measure_devices(("cpu", "cuda:0"))
    assert {name: answer.get("asked") for name, answer in found.items()} == {
        "cpu": ["cpu", "6", "0", "7"],
        "cuda:0": ["cuda:0", "6", "0", "7"],
    }
