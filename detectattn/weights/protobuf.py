"""Protocol Buffers' encoding, as far as it takes to look into a model without the package that wrote it.

See https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_FIXED_BYTES = {1: 8, 5: 4}
_LENGTH_DELIMITED = 2


@dataclass(frozen=True, slots=True)
class Block:
    """A field that holds bytes: a text, or a message within the message.

    Attributes:
        number: Of the field.
        start: Where its bytes begin in the file.
        end: Where they end.
    """

    number: int
    start: int
    end: int


def iter_blocks(stream: BinaryIO, start: int, end: int) -> Iterator[Block]:
    """Yield the fields of a message that hold bytes; numbers are passed over. What a field holds is not read.

    Args:
        stream: The file, seekable; its position between two fields does not matter.
        start: Where the message begins.
        end: Where it ends.

    Raises:
        ValueError: The bytes are no message, or break off.
    """
    while start < end:
        stream.seek(start)
        # Readers take the lower 32 bits of what tells field and kind, whatever stands above them.
        number, wire = divmod(_read_varint(stream) & 0xFFFFFFFF, 8)
        if wire == 0:
            _read_varint(stream)
            start = stream.tell()
        elif wire in _FIXED_BYTES:
            start = stream.tell() + _FIXED_BYTES[wire]
        elif wire == _LENGTH_DELIMITED:
            length = _read_varint(stream)
            block = Block(number, stream.tell(), stream.tell() + length)
            if block.end > end:
                raise ValueError("it is cut short")
            yield block
            start = block.end
        else:
            raise ValueError(f"it has a field of the unknown kind {wire}")


def read_text(stream: BinaryIO, block: Block, max_bytes: int) -> str:
    """The text in a field.

    Raises:
        ValueError: It is longer than ``max_bytes``, or no UTF-8.
    """
    if block.end - block.start > max_bytes:
        raise ValueError(f"it has a text of {block.end - block.start} bytes")
    stream.seek(block.start)
    return stream.read(block.end - block.start).decode("utf-8")


def read_entry(stream: BinaryIO, entry: Block, max_bytes: int) -> tuple[str, str]:
    """Key (field 1) and value (field 2) of an entry of two texts.

    Raises:
        ValueError: It is none.
    """
    texts = {1: "", 2: ""}
    for block in iter_blocks(stream, entry.start, entry.end):
        if block.number in texts:
            texts[block.number] = read_text(stream, block, max_bytes)
    return texts[1], texts[2]


def _read_varint(stream: BinaryIO) -> int:
    value = shift = 0
    while True:
        byte = stream.read(1)
        if not byte or shift > 63:
            raise ValueError("it is cut short")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
        shift += 7
