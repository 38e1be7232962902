"""Find every attention module of a model by its type, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

from torch import nn

from detectattn.results.attention import AttentionKind, AttentionSite
from detectattn.weights.ultralytics_env import import_ultralytics_tasks


def find_attention(model: nn.Module) -> tuple[AttentionSite, ...]:
    """Every attention module of a model; empty for a model without any.

    PyTorch's ``nn.MultiheadAttention`` and Ultralytics' ``Attention``, ``AAttn`` and ``MSDeformAttn`` are found by
    their type, not by what holds them: the encoder of RT-DETR (AIFI), C2PSA, the last C3k2 of YOLO26, the A2C2f of
    YOLO12 or a block of somebody's own.

    A multi-head attention beside a deformable one is that of a decoder layer, among object queries; elsewhere it is
    among the tokens of a feature map. Area attention over one single area is ``global``.

    Args:
        model: As Ultralytics builds it, in any mode, on any device; nothing of it is run or changed.

    Returns:
        One site a module, in the order in which the model holds them (for decoder layers: self, then cross).
    """
    layers = {name: number for number, name in enumerate(_iter_decoder_layers(model))}
    places = {kind: count() for kind in ("global", "area")}
    sites = []
    for path, module in model.named_modules():
        kind = _find_kind(path, module, layers)
        if kind is not None:
            parent = path.rpartition(".")[0]
            sites.append(_describe(path, module, kind, layers[parent] if parent in layers else next(places[kind])))
    return tuple(sites)


def _iter_decoder_layers(model: nn.Module) -> Iterator[str]:
    """Paths of the modules that hold a deformable attention of their own."""
    deformable = _load_types()["MSDeformAttn"]
    for path, module in model.named_modules():
        if any(isinstance(child, deformable) for child in module.children()):
            yield path


def _find_kind(path: str, module: nn.Module, layers: dict[str, int]) -> AttentionKind | None:
    types = _load_types()
    if isinstance(module, types["MSDeformAttn"]):
        return "deformable"
    if isinstance(module, nn.MultiheadAttention):
        return "query" if path.rpartition(".")[0] in layers else "global"
    if isinstance(module, types["AAttn"]):
        return "area" if module.area > 1 else "global"
    return "global" if isinstance(module, types["Attention"]) else None


def _describe(path: str, module: Any, kind: AttentionKind, layer: int) -> AttentionSite:
    """What a module's own attributes tell; each type has names of its own for them."""
    name = _name_type(module)
    if name == "MSDeformAttn":
        size = module.d_model // module.n_heads
        return AttentionSite(
            path, name, kind, layer, module.n_heads, 0, size, levels=module.n_levels, points=module.n_points
        )
    if name == "MultiheadAttention":
        return AttentionSite(path, name, kind, layer, module.num_heads, module.head_dim, module.head_dim)
    key_size = module.key_dim if name == "Attention" else module.head_dim
    areas = module.area if name == "AAttn" else 1
    return AttentionSite(path, name, kind, layer, module.num_heads, key_size, module.head_dim, areas=areas)


def _name_type(module: nn.Module) -> str:
    """The known type's name, also of a class derived from it."""
    return next(name for name, known in _load_types().items() if isinstance(module, known))


@cache
def _load_types() -> dict[str, Any]:
    """The known types by name; Ultralytics is imported the quiet way."""
    import_ultralytics_tasks()
    from ultralytics.nn.modules.block import AAttn, Attention
    from ultralytics.nn.modules.transformer import MSDeformAttn

    return {
        "MultiheadAttention": nn.MultiheadAttention,
        "Attention": Attention,
        "AAttn": AAttn,
        "MSDeformAttn": MSDeformAttn,
    }
