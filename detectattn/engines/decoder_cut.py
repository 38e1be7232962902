"""Cut the decoder of an RT-DETR to fewer layers and queries, which needs no training anew.

Every layer is trained to end in boxes and scores of its own, so the first ones alone are a model, and a faster one
(RT-DETR, https://arxiv.org/abs/2304.08069). Queries are the best rows of the encoder, so fewer are the best of the
same; but queries attend to one another, so the boxes of those that stay may change a little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from detectattn.engines.base import EngineOptions
from detectattn.errors import ConfigError

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

# Large enough that every level is there, at a hundredth of what the real input costs.
_PROBE_PX = 64


def find_head(model: nn.Module) -> Any:
    """The last module of an Ultralytics model, which writes its output."""
    return list(model.model)[-1]  # type: ignore[arg-type]  # Ultralytics models hold an nn.Sequential


def cut_decoder(model: nn.Module, options: EngineOptions, net_hw: tuple[int, int], where: str) -> None:
    """Leave as many decoder layers and queries in a model as the options ask for; what is cut off is freed.

    Args:
        model: As loaded: evaluation mode, on the CPU.
        options: ``decoder_layers`` and ``queries`` apply.
        net_hw: Height and width of its input, which decide how many queries there can be.
        where: The file, for messages.

    Raises:
        ConfigError: The model has no such decoder, or not as many layers or queries.
    """
    if options.decoder_layers is None and options.queries is None:
        return
    head = find_head(model)
    if type(head).__name__ != "RTDETRDecoder":
        raise ConfigError(
            f"{where} has no decoder layers or queries to choose from: it ends in {type(head).__name__}",
            hint="Leave decoder_layers and queries to RT-DETR models",
        )
    if options.decoder_layers is not None:
        _check_layers(options.decoder_layers, len(head.decoder.layers), where)
        _cut_layers(head, options.decoder_layers)
    if options.queries is not None:
        _check_queries(options.queries, int(head.num_queries), where)
        _check_rows(options.queries, count_encoder_rows(model, net_hw), net_hw, where)
        _cut_queries(head, options.queries)


def count_encoder_rows(model: nn.Module, net_hw: tuple[int, int]) -> int:
    """Rows that an RT-DETR's encoder offers at an input size; queries are chosen from them.

    Args:
        model: With an ``RTDETRDecoder`` as its head.
        net_hw: Height and width of its input, multiples of its stride.
    """
    shapes: list[tuple[int, int]] = []

    def note(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        shapes.extend((int(level.shape[2]), int(level.shape[3])) for level in inputs[0])

    head = find_head(model)
    hook: RemovableHandle = head.register_forward_pre_hook(note)
    try:
        with torch.no_grad():
            model(torch.zeros(1, 3, _PROBE_PX, _PROBE_PX))
    finally:
        hook.remove()
        # The head keeps anchors of the last shapes it saw, on their device and in their precision.
        head.shapes = []
    return sum((net_hw[0] * h // _PROBE_PX) * (net_hw[1] * w // _PROBE_PX) for h, w in shapes)


def _check_layers(wanted: int, there: int, where: str) -> None:
    if not 1 <= wanted <= there:
        raise ConfigError(
            f"{where} cannot be run with {wanted} decoder layers: it has {there}",
            hint=f"Give 1 to {there} decoder_layers",
        )


def _check_queries(wanted: int, trained: int, where: str) -> None:
    if not 1 <= wanted <= trained:
        # The image may yield more rows, but no loss was ever taken of those of lower rank.
        reason = f"it was trained with {trained}" + (" and knows no use for more" if wanted > trained else "")
        raise ConfigError(f"{where} cannot be run with {wanted} queries: {reason}", hint=f"Give 1 to {trained} queries")


def _check_rows(wanted: int, rows: int, net_hw: tuple[int, int], where: str) -> None:
    if wanted > rows:
        raise ConfigError(
            f"{where} cannot be run with {wanted} queries at {net_hw[0]}×{net_hw[1]}: "
            f"an image of that size yields no more than {rows}",
            hint=f"Give at most {rows} queries, or a larger image size",
        )


def _cut_layers(head: Any, layers: int) -> None:
    decoder = head.decoder
    decoder.layers = nn.ModuleList(list(decoder.layers)[:layers])
    decoder.num_layers = head.num_decoder_layers = layers
    decoder.eval_idx = layers - 1
    head.dec_bbox_head = nn.ModuleList(list(head.dec_bbox_head)[:layers])
    head.dec_score_head = nn.ModuleList(list(head.dec_score_head)[:layers])


def _cut_queries(head: Any, queries: int) -> None:
    head.num_queries = queries
    if head.learnt_init_query:
        weight = head.tgt_embed.weight[:queries].detach().clone()
        head.tgt_embed = nn.Embedding(queries, weight.shape[1], _weight=weight, _freeze=True)
