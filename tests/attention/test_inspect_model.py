"""A model from small pictures to large: sizes, what does not fit, and that it is left as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from detectattn.attention import inspect_model as inspecting
from detectattn.attention.inspect_model import InspectOptions, Subject, choose_sizes, inspect_model
from detectattn.attention.memory import predict_peak_mb
from detectattn.engines.pytorch import TorchEngine
from detectattn.errors import BadImageSize, OutOfMemory
from detectattn.results.inspection import ModelInspection

COUNTED = InspectOptions(timed=False)
SIZES = ((96, 96), (128, 128), (192, 192))


@pytest.fixture
def engine(open_embedded: Any) -> Any:
    return open_embedded("demo-yolo").engine


@pytest.fixture(autouse=True)
def _no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectattn.attention.reconcile._ask_library", lambda *_: None)


def look(engine: TorchEngine, sizes: Any = SIZES, options: InspectOptions = COUNTED) -> ModelInspection:
    return inspect_model(engine, "demo-yolo", "abc", sizes, options)


def test_sizes_that_suit_the_model(engine: TorchEngine) -> None:
    assert choose_sizes(engine, ()) == ((160, 160), (320, 320), (480, 480), (640, 640))
    assert choose_sizes(engine, [(64, 96), (320, 320), (32, 32), (32, 32)]) == ((32, 32), (64, 96), (320, 320))


@pytest.mark.parametrize(("size", "nearest"), [((300, 300), "288×288"), ((320, 330), "320×320"), ((8, 8), "32×32")])
def test_a_size_that_the_model_cannot_take(engine: TorchEngine, size: tuple[int, int], nearest: str) -> None:
    with pytest.raises(BadImageSize, match=nearest):
        choose_sizes(engine, [(320, 320), size])


def test_what_is_counted_without_timing(engine: TorchEngine) -> None:
    seen = look(engine)
    assert [size.net_hw for size in seen.sizes] == list(SIZES)
    params = sum(parameter.numel() for parameter in engine.model.parameters())
    assert (seen.family, seen.params, seen.own_hw) == ("hybrid", params, (320, 320))
    assert all(size.timing is None and size.fused is None and size.whole.time_ms is None for size in seen.sizes)
    growths = {(g.part, g.quantity): g for g in seen.growth}
    # Tokens grow as the square of the side, and products of them as their square.
    assert growths["products", "gflops"].exponent == pytest.approx(4)
    assert growths["rest", "gflops"].exponent == pytest.approx(2, abs=1e-6)
    assert 2 < growths["global", "gflops"].exponent < 4
    [attention] = seen.sizes[1].attention
    assert (attention.queries, attention.keys, attention.site.heads) == (16, 16, 2)
    assert attention.matrix_mb == pytest.approx(2 * 16 * 16 * 4 / 1e6)
    assert seen.reconciliation is not None
    assert seen.reconciliation.net_hw == (320, 320)


def test_timing_comes_beside_it(engine: TorchEngine) -> None:
    seen = look(engine, SIZES[:1], InspectOptions(budget_s=0))
    [size] = seen.sizes
    assert size.timing is not None
    assert size.fused is not None
    assert size.timing.rounds == 3
    assert size.whole.time_ms == size.timing.whole_ms
    assert all(block.cost.time_ms is not None for block in (*size.blocks, *size.attention))


def test_the_model_is_left_as_it_was(engine: TorchEngine) -> None:
    pixels = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    before = engine.infer(pixels.numpy())
    look(engine, SIZES[:2], InspectOptions(budget_s=0))
    after = engine.infer(pixels.numpy())
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in engine.model.modules())


def test_memory_that_runs_out_costs_the_larger_sizes_alone(
    engine: TorchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Subject.look

    def fail_beyond(self: Subject, net_hw: tuple[int, int], options: InspectOptions) -> Any:
        if net_hw > (96, 96):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return whole(self, net_hw, options)

    monkeypatch.setattr(Subject, "look", fail_beyond)
    seen = look(engine)
    assert [size.net_hw for size in seen.sizes] == [(96, 96)]
    assert [(skipped.net_hw, skipped.reason) for skipped in seen.skipped] == [
        ((128, 128), "memory ran out"),
        ((192, 192), "larger than 128×128, which does not fit"),
    ]


def test_a_size_that_will_not_fit_is_not_even_tried(engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspecting, "read_free_mb", lambda _: 2.0)
    seen = look(engine)
    assert [size.net_hw for size in seen.sizes] == [(96, 96), (128, 128)]
    [skipped] = seen.skipped
    assert "and 0.002 GB are free" in skipped.reason
    assert seen.reconciliation is None


def test_nothing_fits(engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(Subject, "look", fail)
    with pytest.raises(OutOfMemory, match=r"look at demo-yolo at 96×96\. 64×64 fits: pass --imgsz 64x64"):
        look(engine)


def test_another_error_is_no_lack_of_memory(engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(Subject, "look", fail)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        look(engine)


def test_memory_is_foreseen_from_maps_and_matrices(engine: TorchEngine) -> None:
    [size] = look(engine, SIZES[:1]).sizes
    matrix = size.attention[0].matrix_mb
    assert predict_peak_mb(size, (192, 192)) == pytest.approx(1.5 * (4 * size.peak_mb + 3 * 16 * matrix))
    assert predict_peak_mb(replace(size, attention=()), (96, 96)) == pytest.approx(1.5 * size.peak_mb)
