"""How many bytes an operation of PyTorch reads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch

# These write over what they are given first without reading it.
_OVERWRITING = frozenset({"copy_", "fill_", "zero_"})
# These read from their first tensor no more than so many values for each that they return.
_PICKING = {"index": 1, "index_select": 1, "gather": 1, "embedding": 1, "grid_sampler_2d": 4}


def count_read_bytes(func: Any, args: tuple[Any, ...], named: Mapping[str, Any], output: object) -> int:
    """Bytes of the tensors that an operation was given, each counted once, as far as it reads them.

    A tensor that is a view counts as what it shows, one that is repeated by a stride of 0 as what it repeats.

    Args:
        func: The operation, as a dispatch mode is given it; one that computes something, no view.
        args: What it was called with.
        named: The same by name.
        output: What it returned.
    """
    name = func.overloadpacket.__name__
    read: dict[tuple[Any, ...], int] = {}
    for place, (argument, value) in enumerate(_pair(func._schema.arguments, args, named)):
        if argument.is_out or (place == 0 and name in _OVERWRITING):
            continue
        most = _PICKING[name] * _count_values(output) if place == 0 and name in _PICKING else None
        for tensor in iter_tensors(value):
            read[_identify(tensor)] = _count_bytes(tensor, most)
    return sum(read.values())


def iter_tensors(value: object) -> Iterator[torch.Tensor]:
    """All tensors in nested tuples, lists and dicts."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from iter_tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from iter_tensors(item)


def _pair(arguments: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Arguments as the operation declares them, and what they were given."""
    for place, argument in enumerate(arguments):
        yield argument, args[place] if place < len(args) else named.get(argument.name)


def _identify(tensor: torch.Tensor) -> tuple[Any, ...]:
    return tensor.untyped_storage()._cdata, tensor.storage_offset(), tuple(tensor.shape), tensor.stride()


def _count_bytes(tensor: torch.Tensor, most: int | None) -> int:
    values = math.prod(size for size, step in zip(tensor.shape, tensor.stride(), strict=True) if step)
    # An empty tensor may have any stride.
    values = min(values, tensor.numel())
    return (values if most is None else min(values, most)) * tensor.element_size()


def _count_values(output: object) -> int:
    return sum(tensor.numel() for tensor in iter_tensors(output))
