"""Watch a model's attention while pictures go through it, and leave no trace."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from detectattn.attention.check import check_explained, to_unknown_module
from detectattn.attention.deformable import recompute_deformable
from detectattn.attention.find import find_attention
from detectattn.attention.self_attention import SelfWeights, recompute_convolutional, recompute_multi_head
from detectattn.results.attention import (
    AttentionKind,
    AttentionRecord,
    AttentionSite,
    CrossAttention,
    SelfAttention,
    SelfKind,
)
from detectattn.types import F32

_SELF_KINDS: Mapping[AttentionKind, SelfKind] = {"global": "global", "area": "area", "query": "query"}


class AttentionTape:
    """What the attention modules did in the last forward pass.

    Args:
        row: Which picture of a batch is captured.
    """

    def __init__(self, row: int = 0) -> None:
        self.row = row
        self._self: list[SelfAttention] = []
        self._cross: list[CrossAttention] = []
        self._grids: dict[str, tuple[int, int]] = {}
        self._net_hw = (0, 0)

    @property
    def record(self) -> AttentionRecord:
        """All of it; empty (of size 0 × 0) before the first pass, and for a model without attention."""
        return AttentionRecord(tuple(self._self), tuple(self._cross), self._net_hw)

    def start(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Forget the pass before; a hook on the model itself."""
        self._self, self._cross, self._grids = [], [], {}
        self._net_hw = _size_hw(inputs[0])

    def note_grid(self, path: str, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Remember the feature map that a container of an attention module was given; a hook."""
        if inputs and isinstance(inputs[0], torch.Tensor) and inputs[0].ndim == 4:
            self._grids[path] = _size_hw(inputs[0])

    def note(
        self, site: AttentionSite, module: nn.Module, inputs: tuple[Any, ...], named: Mapping[str, Any], output: Any
    ) -> None:
        """Compute a module's attention anew and check it; a hook.

        Raises:
            EngineError: It does not explain what the module gave.
        """
        try:
            with torch.no_grad():
                arguments = _bind(module, inputs, named)
                if site.kind == "deformable":
                    self._cross.append(_capture_cross(site, module, arguments, output, self.row))
                else:
                    self._self.append(self._capture_self(site, module, arguments, output))
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            if isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
                raise  # memory ran out: on the CPU, only the text tells
            raise to_unknown_module(site, error) from error

    def _capture_self(
        self, site: AttentionSite, module: nn.Module, arguments: Mapping[str, Any], output: Any
    ) -> SelfAttention:
        captured = (
            recompute_multi_head(module, arguments, output, self.row)
            if site.module_type == "MultiheadAttention"
            else recompute_convolutional(site, module, arguments, output, self.row)
        )
        check = check_explained(site, captured.weights.sum(-1), captured.rebuilt, captured.own)
        grid_hw = None if site.kind == "query" else self._find_grid(site, captured)
        return SelfAttention(
            site.module, _SELF_KINDS[site.kind], site.layer, _to_array(captured.weights), grid_hw, check
        )

    def _find_grid(self, site: AttentionSite, captured: SelfWeights) -> tuple[int, int]:
        """The feature map whose tokens attend: the module's own input, or that of the nearest container."""
        if captured.grid_hw is not None:
            return captured.grid_hw
        tokens = captured.weights.shape[-1]
        for path in _containers(site.module):
            height, width = self._grids.get(path, (0, 0))
            if height * width == tokens:
                return height, width
        raise ValueError(f"nothing that holds it was given a feature map of {tokens} tokens")


@contextmanager
def open_capture(model: nn.Module, *, row: int = 0) -> Iterator[AttentionTape]:
    """Hook every attention module of a model; the hooks are gone when the block ends, however it ends.

    Call the model itself inside the block (not its ``predict``); after each pass the tape holds that pass. What the
    model gives is the same to the last bit, since each module is left to run as ever and its attention is computed
    anew beside it, on the device and in the precision of the model, without gradients.

    Memory: all of a picture's weights are kept in float32 on the CPU, 4 × heads × tokens² bytes a self-attention (a
    run's tokens, times the areas, for area attention).

    Args:
        model: As Ultralytics builds it, in evaluation mode.
        row: Which picture of a batch to capture.

    Yields:
        The tape. A pass raises :class:`~detectattn.errors.EngineError` where the weights do not explain the output.

    Raises:
        ValueError: The model is in training mode, in which computing a module anew would change it.
    """
    if model.training:
        raise ValueError("attention is captured in evaluation mode: call model.eval() first")
    tape = AttentionTape(row)
    sites = find_attention(model)
    with ExitStack() as stack:
        stack.callback(model.register_forward_pre_hook(tape.start).remove)
        for path in sorted({path for site in sites for path in _containers(site.module)}):
            container = model.get_submodule(path)
            stack.callback(container.register_forward_pre_hook(partial(tape.note_grid, path)).remove)
        for site in sites:
            module = model.get_submodule(site.module)
            stack.callback(module.register_forward_hook(partial(tape.note, site), with_kwargs=True).remove)
        yield tape


def _capture_cross(
    site: AttentionSite, module: nn.Module, arguments: Mapping[str, Any], output: torch.Tensor, row: int
) -> CrossAttention:
    captured = recompute_deformable(module, arguments, output, row)
    check = check_explained(site, captured.weights.sum((-1, -2)), captured.rebuilt, captured.own)
    points, weights = _to_array(captured.points), _to_array(captured.weights)
    return CrossAttention(site.module, site.layer, points, weights, captured.grid_hw, check)


def _bind(module: nn.Module, inputs: tuple[Any, ...], named: Mapping[str, Any]) -> Mapping[str, Any]:
    """A call's arguments by name."""
    return inspect.signature(module.forward).bind(*inputs, **named).arguments


def _containers(path: str) -> Iterator[str]:
    """Paths of what holds a module, innermost first, without the model itself."""
    while path := path.rpartition(".")[0]:
        yield path


def _size_hw(pixels: torch.Tensor) -> tuple[int, int]:
    return int(pixels.shape[-2]), int(pixels.shape[-1])


def _to_array(tensor: torch.Tensor) -> F32:
    array: F32 = np.ascontiguousarray(tensor.float().cpu().numpy())
    return array
