"""Count the floating-point operations of a model that PyTorch holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_flop_count

# Products and sums for one value: four neighbours weighted and added up (mode 0), one taken as it is, sixteen.
_SAMPLING_FLOPS = {0: 7, 1: 0, 2: 31}
# A product with its attention weight and a sum, for each sampled value.
_WEIGHTING_FLOPS = 2
_CPU_ATTENTION = "_scaled_dot_product_flash_attention_for_cpu"
_MPS_ATTENTION = "_scaled_dot_product_attention_math_for_mps"


def count_gflops(model: nn.Module, net_hw: tuple[int, int], device: torch.device | None = None) -> float:
    """Operations for one picture in billions, a multiplication and an addition counting as two.

    PyTorch's own formulas are for convolutions and all matrix products, those inside attention too. What it has none
    for is added: bilinear sampling (four products and three sums a value), and the weighted sum over the points of
    deformable attention. Normalisation, activation, softmax and top-k are left out, as is usual. One forward pass at
    batch 1 is made; layers that it does not run are not counted.

    Args:
        model: In evaluation mode; nothing of it is changed.
        net_hw: Height and width of its input.
        device: Where it is; by default that of its parameters.
    """
    first = next(model.parameters())
    pixels = torch.zeros(1, 3, *net_hw, device=device or first.device, dtype=first.dtype)
    costs: list[int] = []
    with watch_flops(model, lambda _, flops: costs.append(flops)):
        model(pixels)
    return float(sum(costs)) / 1e9


@contextmanager
def watch_flops(model: nn.Module, note: Callable[[str, int], None]) -> Iterator[None]:
    """Tell of each operation that has a cost, just after it ran, while the block goes on; gradients are off.

    Args:
        model: What will run; nothing of it is changed. Hooks that are registered on it inside the block are called
            after those of this one.
        note: Told the name of the operation (``convolution``, ``addmm``, ``bmm``, ``grid_sampler_2d``, …, and
            ``deformable_sum`` for the weighted sum of a deformable attention) and its cost as :func:`count_gflops`
            counts it, in single operations.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(_without_fast_path())
        stack.enter_context(_watch_sampling(model, lambda flops: note("deformable_sum", flops)))
        stack.enter_context(_OperationWatch(note))
        yield


class _OperationWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # PyTorch's
    """Tells what every operation costs.

    PyTorch's ``FlopCounterMode`` does the same, but imports its compiler for that: some seconds and 70 MB, which would
    show in the memory of a model that is measured.
    """

    def __init__(self, note: Callable[[str, int], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # PyTorch's
        self._note = note
        self._formulas = {**flop_registry, **_list_formulas()}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        # Without inference mode, an operation that consists of others never comes here, but those others do.
        named = dict(kwargs or {})
        output = func(*args, **named)
        formula = self._formulas.get(func.overloadpacket)
        if formula is not None:
            self._note(func.overloadpacket.__name__, int(formula(*args, **named, out_val=output)))
        return output


@contextmanager
def _without_fast_path() -> Iterator[None]:
    """Self-attention's fast path is one operation without a formula, so that it would count as nothing."""
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)


@contextmanager
def _watch_sampling(model: nn.Module, add: Callable[[int], None]) -> Iterator[None]:
    """Tell ``add`` of the weighted sums of each deformable attention that runs."""

    def note(module: Any, inputs: tuple[torch.Tensor, ...], _: object) -> None:
        batch, queries = inputs[0].shape[:2]
        add(batch * queries * module.n_levels * module.n_points * module.d_model * _WEIGHTING_FLOPS)

    sampling = [module for module in model.modules() if type(module).__name__ == "MSDeformAttn"]
    hooks = [module.register_forward_hook(note) for module in sampling]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _list_formulas() -> dict[Any, Callable[..., int]]:
    """Formulas for operations that PyTorch has none for."""
    aten = torch.ops.aten
    # On some devices (MPS) a linear layer is one operation, elsewhere a matrix product.
    formulas: dict[Any, Callable[..., int]] = {aten.grid_sampler_2d: _count_sampling, aten.linear: _count_linear}
    for name in (_CPU_ATTENTION, _MPS_ATTENTION):
        if hasattr(aten, name):
            formulas[getattr(aten, name)] = _count_attention
    return formulas


def _count_linear(rows: torch.Tensor, weight: torch.Tensor, *_: Any, out_val: object) -> int:
    return 2 * rows.numel() * weight.shape[0]


def _count_sampling(_input: torch.Tensor, _grid: torch.Tensor, mode: int, *_: Any, out_val: torch.Tensor) -> int:
    return out_val.numel() * _SAMPLING_FLOPS[mode]


def _count_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, out_val: object, **__: Any
) -> int:
    return int(sdpa_flop_count(query.shape, key.shape, value.shape))  # type: ignore[no-untyped-call]  # PyTorch's
