"""Attention taken out of its modules is theirs, and fused attention computes the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from detectattn.attention.find import find_attention
from detectattn.attention.kernels import find_kernels, name_kernel, try_fused
from detectattn.attention.softmax import Heads, capture_heads, find_fused_kernel, run_explicit, run_fused

PIXELS = torch.rand(1, 3, 128, 160, generator=torch.Generator().manual_seed(0))


def finish(module: Any, heads: Heads, attended: torch.Tensor, grid_hw: tuple[int, int] | None) -> torch.Tensor:
    """What the module makes of weights × values [areas, heads, tokens, size]."""
    if isinstance(module, nn.MultiheadAttention):
        output = module.out_proj(attended.transpose(1, 2).flatten(2))
        return output if module.batch_first else output.transpose(0, 1)
    assert grid_hw is not None

    def to_map(rows: torch.Tensor) -> torch.Tensor:
        """[areas, heads, tokens, size] → [1, heads × size, height, width]."""
        return rows.permute(1, 3, 0, 2).reshape(1, -1, *grid_hw)

    return module.proj(to_map(attended) + module.pe(to_map(heads.value)))


@pytest.mark.parametrize("name", ["demo-rtdetr", "demo-yolo", "yolo12n", "yolo26n"])
def test_it_gives_the_output_of_each_module(name: str, noisy_model: Any) -> None:
    model = noisy_model(name)
    sites = find_attention(model)
    outputs: dict[str, torch.Tensor] = {}

    def keep(path: str) -> Any:
        return lambda _, __, out: outputs.update({path: out[0] if isinstance(out, tuple) else out})

    hooks = [model.get_submodule(site.module).register_forward_hook(keep(site.module)) for site in sites]
    captured = capture_heads(model, PIXELS, sites)
    for hook in hooks:
        hook.remove()
    assert [one.site.module for one in captured] == [site.module for site in sites if not site.is_cross]
    for one in captured:
        own = outputs[one.site.module]
        grid_hw = (own.shape[2], own.shape[3]) if own.ndim == 4 else None
        for run in (run_explicit, run_fused):
            rebuilt = finish(model.get_submodule(one.site.module), one, run(one), grid_hw)
            assert float((rebuilt - own).abs().max() / own.abs().max()) < 1e-4
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_every_fused_call_finds_a_fused_kernel(noisy_model: Any) -> None:
    for name in ("demo-rtdetr", "demo-yolo", "yolo12n"):
        model = noisy_model(name)
        assert "scaled_dot_product" in find_fused_kernel(capture_heads(model, PIXELS, find_attention(model)))


def test_kernels_are_told_from_what_runs(noisy_model: Any) -> None:
    model = noisy_model("demo-rtdetr")
    sites = find_attention(model)
    found = find_kernels(model, PIXELS, sites)
    assert {site.kind: name_kernel(found[site.module]) for site in sites} == {
        "global": "explicit softmax",
        "query": "explicit softmax",
        "deformable": "sampling",
    }


class Small(nn.Module):
    def __init__(self, *, need_weights: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.need_weights = need_weights

    def forward(self, tokens: torch.Tensor) -> Any:
        # Other keys than queries, so that the fast path of self-attention is not taken.
        return self.attention(tokens, tokens + 1, tokens, need_weights=self.need_weights)


@pytest.mark.parametrize(("need_weights", "kernel"), [(True, "explicit softmax"), (False, "fused")])
def test_a_module_that_wants_no_weights_is_fused(need_weights: bool, kernel: str) -> None:
    model = Small(need_weights=need_weights).eval()
    sites = find_attention(model)
    found = find_kernels(model, torch.zeros(1, 9, 16), sites)
    assert name_kernel(found["attention"]) == kernel


def test_both_are_timed_as_often_and_give_the_same(noisy_model: Any) -> None:
    model = noisy_model("demo-yolo")
    trial = try_fused(capture_heads(model, PIXELS, find_attention(model)), rounds=2)
    assert (len(trial.explicit_ms), len(trial.fused_ms)) == (2, 2)
    assert min(*trial.explicit_ms, *trial.fused_ms) > 0
    assert 0 < trial.error < 1e-4
    assert trial.ratio is None
