"""The roofs of a device, and where work lies under them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from detectattn.attention import roofline
from detectattn.attention.inspect_model import InspectOptions, inspect_model
from detectattn.attention.roofline import measure_roof, put_under_roof
from detectattn.engines.device_peak import DevicePeak
from detectattn.results.roofline import find_share, make_roof

PEAK = DevicePeak((80.0, 100.0, 90.0), (9.0, 10.0, 9.5), 1024, 134.2, 33.6)


@pytest.fixture
def engine() -> Any:
    return SimpleNamespace(spec=SimpleNamespace(device="cpu", precision="fp32"))


@pytest.fixture
def roof(engine: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(roofline, "measure_peak", lambda *_, **__: PEAK)
    return measure_roof(engine)


def test_a_roof_is_the_best_of_all_timings(roof: Any) -> None:
    assert (roof.device, roof.precision, roof.gflop_s, roof.gbyte_s, roof.ridge) == ("cpu", "fp32", 100.0, 10.0, 10.0)
    assert roof.threads >= 1
    assert roof.gflop_s_spread == pytest.approx(10 / 90)
    assert roof.trusted
    assert [roof.attainable(intensity) for intensity in (1.0, 10.0, 100.0)] == [10.0, 100.0, 100.0]


def test_timings_that_differ_are_not_trusted() -> None:
    rates = {"gflop_s": (50.0, 100.0, 75.0), "gbyte_s": (10.0, 10.0, 10.0)}
    assert not make_roof("cpu", "fp32", 1, **rates, matrix_side=512, array_mb=1.0, cache_mb=None).trusted


@pytest.mark.parametrize(
    ("gflops", "moved_mb", "bound", "roof_ms", "share"),
    [(4.0, 200.0, "compute", 40.0, 0.5), (1.0, 400.0, "bandwidth", 40.0, 0.5), (0.0, 1600.0, "bandwidth", 160.0, 2.0)],
)
def test_the_lower_roof_bounds(
    gflops: float, moved_mb: float, bound: str, roof_ms: float, share: float, roof: Any
) -> None:
    found = find_share(gflops, moved_mb, 80.0, roof)
    assert found is not None
    assert found.bound == bound
    assert (found.roof_ms, found.share) == pytest.approx((roof_ms, share))
    # The share of the time is that of the rate, where there are operations.
    assert found.gflop_s == pytest.approx(found.share * roof.attainable(found.intensity))


def test_what_was_not_timed_or_moves_nothing_has_no_place(roof: Any) -> None:
    assert find_share(1.0, 100.0, None, roof) is None
    assert find_share(1.0, 100.0, 0.0, roof) is None
    assert find_share(0.0, 0.0, 1.0, roof) is None


def test_too_little_memory_means_no_roof(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(roofline, "measure_peak", fail)
    assert measure_roof(engine) is None


def test_every_block_that_was_timed_gets_its_place(
    open_embedded: Any, roof: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detectattn.attention.reconcile._ask_library", lambda *_: None)
    engine = open_embedded("demo-yolo").engine
    seen = inspect_model(engine, "demo-yolo", "", [(64, 64)], InspectOptions(budget_s=0))
    placed = put_under_roof(seen, roof)
    [size] = placed.sizes
    assert placed.roof == roof
    assert size.at_roof == size.blocks[0].at_roof
    assert size.at_roof is not None
    assert size.at_roof.gflop_s == pytest.approx(size.whole.gflops / size.timing.whole_ms * 1e3)  # type: ignore[union-attr]
    # Every parameter is read at least once, and every block moves what its operations do.
    assert size.whole.read_mb > 4e-6 * seen.params
    assert all(block.at_roof is not None for block in size.blocks if block.modules and block.cost.moved_mb)
