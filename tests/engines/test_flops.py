"""Operations are counted as a person counts them on paper, and counting leaves no trace."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from detectattn.engines.base import EngineOptions
from detectattn.engines.decoder_cut import cut_decoder, find_head
from detectattn.engines.flops import count_gflops
from detectattn.weights.embedded import embedded_path
from detectattn.weights.embedded_model import load_embedded_model

TOKENS, WIDTH = 48, 64
# Four projections, then queries with keys, and weights with values.
ATTENTION = 4 * 2 * TOKENS * WIDTH * WIDTH + 2 * 2 * TOKENS * TOKENS * WIDTH


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small models gain nothing from more, and lose much where other work keeps the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class SelfAttention(nn.Module):
    """Takes a picture's pixels for tokens."""

    def __init__(self, *, need_weights: bool, fused: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, 4, batch_first=True)
        self._need_weights = need_weights
        self._fused = fused

    def forward(self, pixels: torch.Tensor) -> Any:
        tokens = pixels.flatten(1)[:, :TOKENS, None].expand(-1, -1, WIDTH).contiguous()
        if self._fused:
            heads = tokens.unflatten(-1, (4, -1)).transpose(1, 2)
            return functional.scaled_dot_product_attention(heads, heads, heads)
        return self.attention(tokens, tokens, tokens, need_weights=self._need_weights)


class Sampling(nn.Module):
    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self.anchor = nn.Parameter(torch.zeros(1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return functional.grid_sample(pixels, torch.zeros(1, 5, 4, 2), mode=self.mode, align_corners=False)


@pytest.mark.parametrize("need_weights", [True, False])
def test_attention_counts_on_its_fast_path_too(need_weights: bool) -> None:
    model = SelfAttention(need_weights=need_weights, fused=False).eval().requires_grad_(False)
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(True)
    try:
        assert count_gflops(model, (8, 8)) == pytest.approx(ATTENTION / 1e9)
        assert torch.backends.mha.get_fastpath_enabled()
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def test_fused_attention_counts() -> None:
    model = SelfAttention(need_weights=False, fused=True).eval()
    assert count_gflops(model, (8, 8)) == pytest.approx(2 * 2 * TOKENS * TOKENS * WIDTH / 1e9)


@pytest.mark.parametrize(("mode", "each"), [("bilinear", 7), ("nearest", 0), ("bicubic", 31)])
def test_sampling_counts(mode: str, each: int) -> None:
    assert count_gflops(Sampling(mode), (8, 8)) == pytest.approx(3 * 5 * 4 * each / 1e9)


def test_convolution_counts_products_and_sums() -> None:
    model = nn.Conv2d(3, 8, 3, padding=1, groups=1, bias=False)
    assert count_gflops(model, (16, 24)) == pytest.approx(2 * 3 * 9 * 8 * 16 * 24 / 1e9)


def load_rtdetr(**cuts: int) -> nn.Module:
    path = embedded_path("demo-rtdetr")
    if path is None:
        pytest.skip("demo-rtdetr is not shipped yet")
    model = load_embedded_model(path)
    cut_decoder(model, EngineOptions(**cuts), (320, 320), "model")  # type: ignore[arg-type]  # ints
    return model


def count_layer(queries: int) -> int:
    """One decoder layer of demo-rtdetr at 320 × 320 on paper: 2,100 rows, width 128, 8 heads, 3 levels, 4 points."""
    width, rows, points = 128, 2100, 12
    attention = 4 * 2 * queries * width * width + 2 * 2 * queries * queries * width
    # Offsets (2 a point and head), weights, values of all rows, output; then 9 a sampled value.
    deformable = 2 * queries * width * 8 * points * 3 + 2 * rows * width * width + 2 * queries * width * width
    sampling = queries * points * width * 9
    feed_forward = 2 * 2 * queries * width * 512
    position = 2 * queries * (4 * 256 + 256 * width)
    box_head = 2 * queries * (width * width * 2 + width * 4)
    return attention + deformable + sampling + feed_forward + position + box_head


def test_a_decoder_layer_costs_what_it_costs_on_paper() -> None:
    three, four = (count_gflops(load_rtdetr(decoder_layers=layers), (320, 320)) for layers in (3, 4))
    assert four - three == pytest.approx(count_layer(150) / 1e9, rel=1e-9)
    three, four = (count_gflops(load_rtdetr(decoder_layers=layers, queries=60), (320, 320)) for layers in (3, 4))
    assert four - three == pytest.approx(count_layer(60) / 1e9, rel=1e-9)


def test_counting_leaves_the_model_as_it_was() -> None:
    model = load_rtdetr().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs lack it
    pixels = torch.rand(1, 3, 320, 320, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = model(pixels)[0]
    count_gflops(model, (320, 320))
    with torch.inference_mode():
        torch.testing.assert_close(model(pixels)[0], before, rtol=0, atol=0)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert find_head(model).input_proj[0][0].weight.is_contiguous(memory_format=torch.channels_last)


def test_the_count_is_that_of_pytorchs_own_counter() -> None:
    model = load_rtdetr()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, 320, 320))
    sampling = 4 * 150 * 12 * 128 * 9
    assert count_gflops(model, (320, 320)) == pytest.approx((counter.get_total_flops() + sampling) / 1e9, rel=1e-12)


def test_counting_does_not_load_the_compiler() -> None:
    """It would add 70 MB to the memory of the model that is measured."""
    code = (
        "import sys, torch\n"
        "from detectattn.engines.flops import count_gflops\n"
        "layers = torch.nn.Conv2d(3, 8, 3), torch.nn.Upsample(scale_factor=2), torch.nn.Linear(12, 2)\n"
        "count_gflops(torch.nn.Sequential(*layers), (8, 8))\n"
        "print({'torch._dynamo', 'sympy'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_counting_after_inference_counts_the_same() -> None:
    model = load_rtdetr()
    before = count_gflops(model, (320, 320))
    with torch.inference_mode():
        model(torch.zeros(1, 3, 320, 320))
    assert count_gflops(model, (320, 320)) == before


def test_a_model_in_half_precision_is_counted_in_it() -> None:
    model = nn.Conv2d(3, 8, 3).half()
    seen: list[torch.dtype] = []
    model.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].dtype))
    count_gflops(model, (8, 8))
    assert seen == [torch.float16]
