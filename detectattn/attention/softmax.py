"""Self-attention as each module computes it today, taken out of the module, and the same by PyTorch's fused kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from detectattn.results.attention import AttentionSite

FUSED = "scaled_dot_product"


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Queries, keys and values of one module in one picture, as it lays them out.

    Attributes:
        site: The module.
        query: [areas, heads, tokens, head size], not scaled; a view of what the projection gave.
        key: Likewise.
        value: [areas, heads, tokens, value size].
    """

    site: AttentionSite
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor


def capture_heads(model: nn.Module, pixels: torch.Tensor, sites: Iterable[AttentionSite]) -> tuple[Heads, ...]:
    """Queries, keys and values of every module with a softmax over tokens; deformable ones have none.

    Args:
        model: In evaluation mode.
        pixels: [1, 3, h, w] on its device, in its precision.
        sites: The modules.
    """
    caught: dict[str, Heads] = {}
    hooks = []
    for site in sites:
        if not site.is_cross:
            module = model.get_submodule(site.module)
            hooks.append(module.register_forward_pre_hook(_make_catcher(site, caught), with_kwargs=True))
    try:
        with torch.no_grad():
            model(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(caught.values())


def _make_catcher(site: AttentionSite, caught: dict[str, Heads]) -> Callable[[nn.Module, Any, Any], None]:
    def catch(module: Any, inputs: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        caught[site.module] = Heads(site, *_SPLITS[site.module_type](module, inputs, named))

    return catch


def _split_convolved(module: Any, inputs: tuple[Any, ...], _: object) -> tuple[torch.Tensor, ...]:
    """As ``Attention`` of Ultralytics (C2PSA) does."""
    [features] = inputs
    qkv = module.qkv(features).view(
        features.shape[0], module.num_heads, module.key_dim * 2 + module.head_dim, features.shape[2] * features.shape[3]
    )
    parts = qkv.split([module.key_dim, module.key_dim, module.head_dim], dim=2)
    return tuple(part.transpose(-2, -1) for part in parts)


def _split_areas(module: Any, inputs: tuple[Any, ...], _: object) -> tuple[torch.Tensor, ...]:
    """As ``AAttn`` of Ultralytics (YOLO12) does."""
    [features] = inputs
    tokens = features.shape[2] * features.shape[3] // module.area
    qkv = module.qkv(features).flatten(2).transpose(1, 2).reshape(features.shape[0] * module.area, tokens, -1)
    rows = qkv.view(qkv.shape[0], tokens, module.num_heads, module.head_dim * 3).permute(0, 2, 1, 3)
    return tuple(rows.split(module.head_dim, dim=3))


def _split_multi_head(module: Any, inputs: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[torch.Tensor, ...]:
    """As ``nn.MultiheadAttention`` does."""
    given = [*inputs, *(named[name] for name in ("query", "key", "value")[len(inputs) :])][:3]
    packed, bias = module.in_proj_weight, module.in_proj_bias
    weights = (
        packed.chunk(3) if packed is not None else (module.q_proj_weight, module.k_proj_weight, module.v_proj_weight)
    )
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    parts = (functional.linear(x, w, b) for x, w, b in zip(given, weights, biases, strict=True))
    by_head = (part.view(*part.shape[:-1], module.num_heads, -1) for part in parts)
    return tuple(part.transpose(1, 2) if module.batch_first else part.permute(1, 2, 0, 3) for part in by_head)


_SPLITS: Mapping[str, Callable[..., tuple[torch.Tensor, ...]]] = {
    "Attention": _split_convolved,
    "AAttn": _split_areas,
    "MultiheadAttention": _split_multi_head,
}


def run_explicit(heads: Heads) -> torch.Tensor:
    """Weights × values as the module computes them today: the matrix of weights is written, normalised and read.

    ``nn.MultiheadAttention`` also averages the weights over its heads, which nobody reads; that is part of its cost.

    Returns:
        [areas, heads, tokens, value size].
    """
    scaled = heads.query * heads.query.shape[-1] ** -0.5
    weights: torch.Tensor = (scaled @ heads.key.transpose(-2, -1)).softmax(dim=-1)
    if heads.site.module_type == "MultiheadAttention":
        weights.mean(dim=1)
    return weights @ heads.value


def run_fused(heads: Heads) -> torch.Tensor:
    """The same by ``scaled_dot_product_attention``.

    Fused kernels want queries, keys and values of one width, whose channels lie side by side. Narrower queries and keys
    are filled up with zeros, which change no product; that, and a copy where one is needed, are part of the cost.
    """
    missing = heads.value.shape[-1] - heads.query.shape[-1]
    query, key = heads.query, heads.key
    if missing > 0:
        query, key = (functional.pad(x, (0, missing)) for x in (query, key))
    query, key, value = (x if x.stride(-1) == 1 else x.contiguous() for x in (query, key, heads.value))
    return functional.scaled_dot_product_attention(query, key, value, scale=heads.query.shape[-1] ** -0.5)


def find_fused_kernel(heads: Sequence[Heads]) -> str:
    """The operation that the fused call dispatches to on this device: ``_scaled_dot_product_flash_attention_for_cpu``.

    Several are joined by a comma.
    """
    names: dict[str, None] = {}
    with torch.no_grad(), NameWatch(lambda name: names.setdefault(name)):
        for one in heads:
            run_fused(one)
    # Without a kernel that fits, the call is made of plain products and a softmax.
    return ", ".join(name for name in names if FUSED in name) or "none: plain products"


class NameWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # PyTorch's
    """Tells the name of every operation that runs."""

    def __init__(self, note: Callable[[str], object]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # PyTorch's
        self._note = note

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self._note(func.overloadpacket.__name__)
        return func(*args, **dict(kwargs or {}))
