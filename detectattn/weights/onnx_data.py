"""Where an ONNX model says that its weights lie: files beside it, and no others.

A model may keep tensors in files of their own, named by paths (https://onnx.ai/onnx/repo-docs/ExternalData.html). One
from elsewhere could name any file that its user can read, and older versions of ONNX Runtime would read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from detectattn.errors import CorruptWeights, UnsafeWeights
from detectattn.weights.protobuf import Block, iter_blocks, read_entry

_MAX_TEXT_BYTES = 1 << 16
# The messages of a model that lead to tensors, by message and field number (onnx.proto).
_INSIDE: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "training": {1: "graph", 2: "graph"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}


def check_external_data(path: Path) -> None:
    """Refuse a model whose weights would be read from outside its folder.

    Args:
        path: An ONNX file.

    Raises:
        UnsafeWeights: It names such a file.
        CorruptWeights: It is no ONNX.
    """
    folders = {path.parent.resolve(), path.resolve().parent}
    try:
        for location in iter_locations(path):
            beside = path.parent / location.replace("\\", "/")
            # With a star the runtimes mark an address in memory, ``*/_ORT_MEM_ADDR_/*`` for one.
            odd = "*" in location or "\0" in location
            if odd or not any(beside.resolve().is_relative_to(folder) for folder in folders):
                raise UnsafeWeights(
                    f"{path} asks for weights outside its folder: {location[:200]}",
                    hint="Do not use it, unless you know who made it; a model's files belong into one folder",
                )
    except (ValueError, OSError) as error:
        raise CorruptWeights(
            f"{path} is no ONNX model, or damaged ({str(error)[:160]})", hint="Download or export it again"
        ) from error


def iter_locations(path: Path) -> Iterator[str]:
    """Yield the paths that tensors of a model are kept under, as the model has them.

    Raises:
        ValueError: It is no ONNX.
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        whole = Block(0, 0, path.stat().st_size)
        pending: list[tuple[str, Iterator[Block]]] = [("model", iter_blocks(stream, whole.start, whole.end))]
        while pending:
            message, blocks = pending[-1]
            block = next(blocks, None)
            if block is None:
                pending.pop()
            elif _INSIDE[message].get(block.number) == "entry":
                yield from _read_location(stream, block)
            elif block.number in _INSIDE[message]:
                inside = _INSIDE[message][block.number]
                pending.append((inside, iter_blocks(stream, block.start, block.end)))


def _read_location(stream: BinaryIO, entry: Block) -> Iterator[str]:
    key, value = read_entry(stream, entry, _MAX_TEXT_BYTES)
    if key == "location":
        yield value
