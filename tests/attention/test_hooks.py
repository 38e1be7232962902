"""Hooks see every attention module, change nothing, and go away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import wraps
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from detectattn.attention.find import find_attention
from detectattn.attention.hooks import open_capture
from detectattn.errors import EngineError
from detectattn.results.attention import AttentionRecord
from tests.attention.noisy_models import build_noisy, make_pixels

MODELS = ["demo-rtdetr", "yolov8n", "yolo11n", "yolo12n", "yolo26n"]


def run(model: Any, pixels: torch.Tensor) -> list[torch.Tensor]:
    """Every tensor that a model gives."""
    with torch.inference_mode():
        return list(_iter_tensors(model(pixels)))


def _iter_tensors(output: Any) -> Iterator[torch.Tensor]:
    if isinstance(output, torch.Tensor):
        yield output
    elif isinstance(output, dict | list | tuple):
        for part in output.values() if isinstance(output, dict) else output:
            yield from _iter_tensors(part)


def record(model: Any, pixels: torch.Tensor, row: int = 0) -> AttentionRecord:
    with open_capture(model, row=row) as tape:
        run(model, pixels)
    return tape.record


def count_hooks(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["plain", "channels_last"])
def test_output_is_the_same_to_the_last_bit(name: str, layout: torch.memory_format, noisy_model: Any) -> None:
    model, pixels = noisy_model(name), make_pixels(2, 96, 128).to(memory_format=layout)
    without = run(model, pixels)
    with open_capture(model, row=1):
        watched = run(model, pixels)
    assert len(watched) == len(without) >= 2
    assert all(torch.equal(a, b) for a, b in zip(watched, without, strict=True))


@pytest.mark.parametrize("name", [*MODELS, "rtdetr-l"])
def test_what_is_captured_explains_every_module(name: str, noisy_model: Any) -> None:
    model = noisy_model(name)
    captured = record(model, make_pixels(1, 96, 128))
    modules = [a.module for a in (*captured.self_attention, *captured.cross_attention)]
    assert sorted(modules) == sorted(site.module for site in find_attention(model))
    assert captured.net_hw == (96, 128)
    for attention in captured.self_attention:
        assert attention.weights.dtype == np.float32
        np.testing.assert_allclose(attention.weights.sum(-1), 1, atol=1e-5)
        # Weights that are uniform, or all on one token, would explain also what is computed otherwise.
        largest = np.median(attention.weights.max(-1))
        assert 2 / attention.weights.shape[-1] < largest < 0.95
        assert attention.check.output_error <= 1e-4
    for cross in captured.cross_attention:
        np.testing.assert_allclose(cross.weights.sum((2, 3)), 1, atol=1e-5)
        assert cross.points.std(axis=0).min() > 0.01
        assert cross.check.output_error <= 1e-4


@pytest.mark.parametrize(
    ("name", "grids"),
    [
        ("demo-rtdetr", {"MultiheadAttention": (3, 4)}),
        ("yolo11n", {"Attention": (3, 4)}),
        ("yolo12n", {"AAttn": (6, 8)}),
        ("yolo26n", {"Attention": (3, 4)}),
    ],
)
def test_tokens_lie_on_the_grid(name: str, grids: dict[str, tuple[int, int]], noisy_model: Any) -> None:
    model = noisy_model(name)
    types = {site.module: site.module_type for site in find_attention(model)}
    captured = record(model, make_pixels(1, 96, 128))
    seen = {types[a.module]: a.grid_hw for a in reversed(captured.self_attention) if a.kind != "query"}
    assert seen == grids
    for attention in captured.self_attention:
        areas, _, queries, keys = attention.weights.shape
        assert queries == keys
        assert attention.grid_hw is None or areas * keys == attention.grid_hw[0] * attention.grid_hw[1]
    assert all(cross.grid_hw == ((12, 16), (6, 8), (3, 4)) for cross in captured.cross_attention)


@pytest.mark.parametrize("name", ["demo-rtdetr", "yolo12n"])
def test_a_row_of_a_batch_is_that_picture(name: str, noisy_model: Any) -> None:
    pixels = make_pixels(3, 96, 128)
    second = record(noisy_model(name), pixels, row=1)
    alone = record(noisy_model(name), pixels[1:2])
    first = record(noisy_model(name), pixels)
    for a, b, c in zip(second.self_attention, alone.self_attention, first.self_attention, strict=True):
        if a.kind != "query":  # the order of queries whose scores nearly tie may change with the batch
            np.testing.assert_allclose(a.weights, b.weights, atol=1e-3)
            assert np.abs(a.weights - c.weights).max() > 0.01


def test_a_model_without_attention_gives_an_empty_record(noisy_model: Any) -> None:
    captured = record(noisy_model("yolov8n"), make_pixels(1, 96, 128))
    assert (captured.self_attention, captured.cross_attention) == ((), ())


def test_the_tape_holds_the_last_pass(noisy_model: Any) -> None:
    model = noisy_model("yolo11n")
    with open_capture(model) as tape:
        assert tape.record.self_attention == ()
        for height in (128, 96):
            run(model, make_pixels(1, height, 128))
        (attention,) = tape.record.self_attention
    assert (attention.grid_hw, tape.record.net_hw) == ((3, 4), (96, 128))


def test_captures_may_be_nested(noisy_model: Any) -> None:
    model = noisy_model("yolo11n")
    with open_capture(model) as outer, open_capture(model) as inner:
        run(model, make_pixels(1, 96, 128))
    (a,), (b,) = outer.record.self_attention, inner.record.self_attention
    np.testing.assert_array_equal(a.weights, b.weights)
    assert count_hooks(model) == 0


@pytest.mark.parametrize("name", MODELS)
def test_hooks_go_when_the_block_ends(name: str, noisy_model: Any) -> None:
    model = noisy_model(name)
    with open_capture(model):
        assert count_hooks(model) > 0
    assert count_hooks(model) == 0


def test_hooks_go_when_the_block_or_the_model_fails(noisy_model: Any) -> None:
    model = noisy_model("yolo11n")
    with pytest.raises(KeyboardInterrupt), open_capture(model):
        raise KeyboardInterrupt
    assert count_hooks(model) == 0
    with pytest.raises(RuntimeError), open_capture(model):
        run(model, torch.zeros(1, 5, 96, 128))
    assert count_hooks(model) == 0


def test_hooks_go_when_a_generator_is_abandoned(noisy_model: Any) -> None:
    model = noisy_model("yolo11n")

    def capture_each() -> Iterator[AttentionRecord]:
        with open_capture(model) as tape:
            while True:
                run(model, make_pixels(1, 96, 128))
                yield tape.record

    records = capture_each()
    assert next(records).self_attention
    assert count_hooks(model) > 0
    records.close()
    assert count_hooks(model) == 0


def test_hooks_that_were_there_stay(noisy_model: Any) -> None:
    model = noisy_model("yolo11n")
    own = model.register_forward_hook(lambda *_: None)
    with suppress(ZeroDivisionError), open_capture(model):
        raise ZeroDivisionError
    assert count_hooks(model) == 1
    own.remove()


def test_gradients_flow_past_a_capture() -> None:
    # A model of its own: a head keeps anchors of its last pass, and those of inference mode know no gradients.
    model = build_noisy("yolo11n")

    def compute_gradient() -> torch.Tensor:
        pixels = make_pixels(1, 96, 128).requires_grad_()
        model(pixels)[0].sum().backward()
        assert pixels.grad is not None
        return pixels.grad

    without = compute_gradient()
    with open_capture(model) as tape:
        assert torch.equal(compute_gradient(), without)
    assert tape.record.self_attention


def test_training_mode_is_refused(noisy_model: Any) -> None:
    model = noisy_model("yolo11n")
    model.train()
    with pytest.raises(ValueError, match="evaluation mode"), open_capture(model):
        pass
    model.eval()


@pytest.mark.parametrize(
    ("name", "index"), [("demo-rtdetr", 0), ("demo-rtdetr", 1), ("demo-rtdetr", 2), ("yolo11n", 0)]
)
def test_a_module_that_computes_something_else_is_named(
    name: str, index: int, noisy_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a later version of Ultralytics might."""
    model = noisy_model(name)
    site = find_attention(model)[index]
    module = model.get_submodule(site.module)
    original = module.forward

    @wraps(original)
    def changed(*args: Any, **named: Any) -> Any:
        return original(*args, **named) * 1.001

    if site.module_type == "MultiheadAttention":
        # It is called anew itself, so what changes has to lie outside of `forward`.
        handle = module.register_forward_hook(lambda _, __, output: (output[0] * 1.001, output[1]))
    else:
        handle = None
        monkeypatch.setattr(module, "forward", changed)
    with pytest.raises(EngineError, match=rf"{site.module} \({site.module_type}\).*output equal within 1\.0e-03"):
        record(model, make_pixels(1, 96, 128))
    if handle is not None:
        handle.remove()
    assert count_hooks(model) == 0


def test_a_module_that_is_built_otherwise_is_named(noisy_model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = noisy_model("yolo11n")
    site = find_attention(model)[0]
    monkeypatch.setattr(model.get_submodule(site.module), "forward", lambda x, extra=None: x)
    monkeypatch.delattr(model.get_submodule(site.module), "pe")
    with pytest.raises(EngineError, match=rf"{site.module} \(Attention\).*not built as expected.*'pe'"):
        record(model, make_pixels(1, 96, 128))
