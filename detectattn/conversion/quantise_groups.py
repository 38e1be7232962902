"""A network's operations in groups that can be left in float, and what is gained by leaving one so."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

# Operations that INT8 concerns: they compute, or their inputs would be rounded. What only moves numbers is none.
_QUANTISED = frozenset({
    "Add", "AvgPool", "Convolution", "Divide", "GroupConvolution", "Interpolate", "MVN", "MatMul", "Maximum", "Minimum",
    "Multiply", "NormalizeL2", "Power", "ReduceMean", "SquaredDifference", "Subtract",
})  # fmt: skip
_LAYER = re.compile(r"model[./](\d+)(?:[./]([\w.]+))?")
_DECODER_LAYER = re.compile(r"decoder[./]layers[./](\d+)")
_CHUNKS = 16


@dataclass(frozen=True, slots=True)
class LayerGroup:
    """Operations that are quantised together or not at all.

    Attributes:
        name: ``layer 10``, ``layer 23 cv2``, ``layer 23 arithmetic``: by the model's own numbering.
        operations: Their names in the graph.
        work: Share of the network's multiplications that they do, 0 to 1: what leaving them in float costs.
    """

    name: str
    operations: tuple[str, ...]
    work: float


def find_groups(model: Any) -> tuple[LayerGroup, ...]:
    """The operations of a float model that INT8 concerns, grouped, in the order of the network.

    One group a layer of the model; the last, the head, in its parts: each branch, each decoder layer, and the
    arithmetic that makes boxes of what the branches say. A graph whose names tell no layers is cut into 16 pieces.

    Args:
        model: An ``openvino.Model`` with fixed shapes.
    """
    work = {
        operation.get_friendly_name(): _count_products(operation)
        for operation in model.get_ordered_ops()
        if operation.get_type_name() in _QUANTISED and operation.output(0).get_element_type().is_real()
    }
    layers = [int(found[1]) for name in work if (found := _LAYER.search(name))]
    named = _name_by_layer(work, layers) if layers else _cut(list(work))
    total = max(1, sum(work.values()))
    return tuple(
        LayerGroup(label, tuple(names), sum(work[name] for name in names) / total) for label, names in named.items()
    )


def _count_products(operation: Any) -> int:
    """Multiplications of a convolution or a matrix product; of the rest, which they dwarf, none."""
    kind = operation.get_type_name()
    outputs: int = math.prod(operation.output(0).get_shape())
    if kind == "MatMul":
        shape = operation.input(0).get_shape()
        return outputs * int(shape[-2 if operation.get_attributes()["transpose_a"] else -1])
    if kind in ("Convolution", "GroupConvolution"):
        # [out, in, y, x], or [groups, out, in, y, x]
        return outputs * int(math.prod(operation.input(1).get_shape()[1 if kind == "Convolution" else 2 :]))
    return 0


def _name_by_layer(names: Iterable[str], layers: list[int]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    label = f"layer {layers[0]}"
    for name in names:
        # What the exporter added between layers has no layer's name: it goes with what comes before it.
        label = _find_label(name, max(layers)) or label
        grouped.setdefault(label, []).append(name)
    return grouped


def _find_label(name: str, head: int) -> str | None:
    # A torch path ends at the first slash: `__module.model.23.cv2.0.2/aten::_convolution/Convolution`.
    found = _LAYER.search(name.split("/")[0] if name.startswith("__module") else name)
    if found is None:
        return None
    if int(found[1]) < head:
        return f"layer {found[1]}"
    part = found[2] or ""
    decoder = _DECODER_LAYER.match(part)
    if decoder:
        return f"layer {head} decoder {decoder[1]}"
    return f"layer {head} {re.split(r'[./]', part)[0] or 'arithmetic'}"


def _cut(names: list[str]) -> dict[str, list[str]]:
    size = max(1, -(-len(names) // _CHUNKS))
    pieces = (names[start : start + size] for start in range(0, len(names), size))
    return {f"piece {number}": piece for number, piece in enumerate(pieces, 1)}


def leave_in_float(quantised: Any, groups: Iterable[LayerGroup], among: Iterable[LayerGroup]) -> Any:
    """A copy of a quantised model in which the inputs and weights of some groups are no longer rounded.

    Biases and ranges stay as they were fitted to a model with everything rounded: this serves for measuring a group in
    the time of a few pictures, not for what is kept.

    Args:
        quantised: An ``openvino.Model`` that NNCF made.
        groups: Which.
        among: All groups of the model. Operations of none are NNCF's own, or only move numbers, and are looked through.
    """
    known = frozenset(name for group in among for name in group.operations)
    copy = quantised.clone()
    wanted = frozenset(name for group in groups for name in group.operations)
    for operation in copy.get_ops():
        if operation.get_type_name() != "FakeQuantize":
            continue
        for reader in list(operation.output(0).get_target_inputs()):
            consumers = set(_iter_consumers(reader.get_node(), known))
            if consumers and consumers <= wanted:
                reader.replace_source_output(operation.input_value(0))
    return copy


def _iter_consumers(node: Any, known: frozenset[str]) -> Iterator[str]:
    """Names of the operations that a value reaches next, through what only moves numbers."""
    seen, waiting = set(), [node]
    while waiting:
        current = waiting.pop()
        name = current.get_friendly_name()
        if name in seen or current.get_type_name() == "FakeQuantize":
            continue
        seen.add(name)
        if name in known:
            yield name
            continue
        waiting += [reader.get_node() for output in current.outputs() for reader in output.get_target_inputs()]
