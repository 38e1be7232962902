"""Weights computed anew explain the output in every way a module can be called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from detectattn.attention.find import find_attention
from detectattn.attention.hooks import open_capture
from detectattn.errors import EngineError
from detectattn.results.attention import SelfAttention
from detectattn.weights.ultralytics_env import import_ultralytics_tasks


class Calls(nn.Module):
    """A feature map goes to a multi-head attention as its tokens."""

    def __init__(self, attention: nn.MultiheadAttention, **named: Any) -> None:
        super().__init__()
        self.attention = attention
        self.named = named

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        tokens = pixels.flatten(2).permute(0, 2, 1)
        if not self.attention.batch_first:
            tokens = tokens.transpose(0, 1)
        keys = tokens * 0.5
        given: torch.Tensor = self.attention(keys, keys, value=tokens, **self.named)[0]
        return given


class Holds(nn.Module):
    """Gives a feature map to what it holds."""

    def __init__(self, held: nn.Module) -> None:
        super().__init__()
        self.held = held

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        given: torch.Tensor = self.held(pixels)
        return given


def capture_one(held: nn.Module, pixels: torch.Tensor, row: int = 0) -> SelfAttention:
    model = Holds(held).eval()
    with open_capture(model, row=row) as tape, torch.inference_mode():
        model(pixels)
    (attention,) = tape.record.self_attention
    return attention


def make_pixels(channels: int, height: int = 3, width: int = 4) -> torch.Tensor:
    return torch.randn(2, channels, height, width, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("need_weights", [True, False])
def test_multi_head(batch_first: bool, bias: bool, need_weights: bool) -> None:
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(16, 4, bias=bias, batch_first=batch_first)
    captured = capture_one(Calls(attention, need_weights=need_weights), make_pixels(16), row=1)
    assert captured.weights.shape == (1, 4, 12, 12)
    assert captured.grid_hw == (3, 4)
    assert captured.check.output_error < 1e-5


def test_multi_head_under_masks() -> None:
    torch.manual_seed(0)
    mask = torch.zeros(2 * 4, 12, 12)
    mask[4:, :, 7] = float("-inf")  # of the second picture
    padding = torch.zeros(2, 12, dtype=torch.bool)
    padding[1, 3] = True
    attention = nn.MultiheadAttention(16, 4, batch_first=True)
    captured = capture_one(
        Calls(attention, attn_mask=mask, key_padding_mask=padding.float() * -1e9), make_pixels(16), row=1
    )
    assert np.flatnonzero(captured.weights.max((0, 1, 2)) == 0).tolist() == [3, 7]


def test_the_transformer_block_of_older_models() -> None:
    """C3TR: multi-head attention whose tokens are made by a container two levels up."""
    import_ultralytics_tasks()
    from ultralytics.nn.modules.transformer import TransformerBlock

    torch.manual_seed(0)
    captured = capture_one(TransformerBlock(16, 16, 4, 1), make_pixels(16))
    assert captured.grid_hw == (3, 4)
    assert captured.check.output_error < 1e-5


def test_weights_of_psa_are_what_the_formula_says() -> None:
    """Softmax of query · key over the root of the key's size, by loops."""
    import_ultralytics_tasks()
    from ultralytics.nn.modules.block import Attention

    torch.manual_seed(0)
    module = Attention(16, num_heads=2).eval()
    pixels = make_pixels(16)
    captured = capture_one(module, pixels)
    with torch.inference_mode():
        channels = module.qkv(pixels)[0].flatten(1).numpy()
    for head in range(2):
        query, key = channels[head * 16 : head * 16 + 4], channels[head * 16 + 4 : head * 16 + 8]
        for token in range(12):
            raw = np.exp([query[:, token] @ key[:, other] / 2 for other in range(12)])
            np.testing.assert_allclose(captured.weights[0, head, token], raw / raw.sum(), rtol=1e-4)


@pytest.mark.parametrize(("height", "width", "areas"), [(4, 4, 4), (3, 4, 2), (2, 6, 3), (3, 4, 1)])
def test_areas_are_runs_of_row_major_tokens(height: int, width: int, areas: int) -> None:
    """Also where a run ends amid a row: what a token is given comes from its own run alone."""
    import_ultralytics_tasks()
    from ultralytics.nn.modules.block import AAttn

    torch.manual_seed(0)
    module = AAttn(16, num_heads=2, area=areas).eval()
    nn.init.zeros_(module.pe.conv.weight)
    pixels = make_pixels(16, height, width)
    captured = capture_one(module, pixels)
    run = height * width // areas
    assert captured.weights.shape == (areas, 2, run, run)
    assert captured.kind == ("area" if areas > 1 else "global")
    assert captured.grid_hw == (height, width)
    with torch.inference_mode():
        before = module(pixels)[0].flatten(1)
        pixels[0, :, 0, 1] += 1  # a token of the first run
        moved = (module(pixels)[0].flatten(1) - before).abs().amax(0) > 1e-6
    assert moved.nonzero().flatten().tolist() == list(range(run))


def test_a_second_run_has_its_own_weights() -> None:
    """``areas`` comes first: weights of the second run are those of its tokens alone."""
    import_ultralytics_tasks()
    from ultralytics.nn.modules.block import AAttn

    torch.manual_seed(0)
    module = AAttn(16, num_heads=2, area=2).eval()
    pixels = make_pixels(16, 4, 3)
    both = capture_one(module, pixels)
    module.area = 1
    alone = capture_one(module, pixels[:, :, 2:].contiguous())
    np.testing.assert_allclose(both.weights[1], alone.weights[0], atol=1e-6)


def test_an_attention_without_a_feature_map_is_refused() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(16, 4, batch_first=True)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            tokens = pixels.flatten(2).permute(0, 2, 1)[:, :5]
            given: torch.Tensor = self.attention(tokens, tokens, tokens)[0]
            return given

    with pytest.raises(
        EngineError, match=r"held\.attention.*nothing that holds it was given a feature map of 5 tokens"
    ):
        capture_one(Tokens(), make_pixels(16))
    assert find_attention(Tokens())
