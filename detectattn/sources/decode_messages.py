"""What the program and a process that decodes for it say to each other: JSON, and bytes after it.

Neither unpickles what the other sends, so that what a broken decoder sends is wrong at worst.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, BinaryIO

import numpy as np

from detectattn import errors
from detectattn.errors import DecoderError, DetectattnError
from detectattn.sources.base import ReadOptions
from detectattn.sources.shared_pixels import SharedPixels
from detectattn.types import U8, Frame, Media, Reduced

Message = Mapping[str, Any]

_LENGTHS = struct.Struct(">IQ")
_MOST_JSON_BYTES = 1 << 24
_OPTIONS = ("allow_truncated", "max_pixels", "vid_stride", "at_least_hw", "in_full")


def write_message(stream: BinaryIO, message: Message, payload: Sequence[bytes | memoryview] = ()) -> None:
    """Send one message, and the bytes that go with it.

    Raises:
        OSError: Nobody reads it any more.
    """
    content = json.dumps(message).encode("ascii")
    parts = [memoryview(part).cast("B") for part in payload]
    stream.write(_LENGTHS.pack(len(content), sum(part.nbytes for part in parts)) + content)
    for part in parts:
        stream.write(part)
    stream.flush()


def read_message(stream: BinaryIO) -> tuple[dict[str, Any], bytearray]:
    """Wait for one message, and the bytes that go with it.

    Raises:
        EOFError: The other side is no more.
        ValueError: What it sends is no message.
    """
    json_bytes, payload_bytes = _LENGTHS.unpack(_read_exactly(stream, _LENGTHS.size))
    if json_bytes > _MOST_JSON_BYTES:
        raise ValueError(f"a message of {json_bytes} bytes")
    message = json.loads(_read_exactly(stream, json_bytes))
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")
    return message, _read_exactly(stream, payload_bytes)


def _read_exactly(stream: BinaryIO, count: int) -> bytearray:
    content = bytearray(count)
    at = 0
    while at < count:
        read: int = stream.readinto(memoryview(content)[at:])  # type: ignore[attr-defined]  # every stream here has it
        if not read:
            raise EOFError
        at += read
    return content


def from_options(options: ReadOptions) -> dict[str, Any]:
    """What of the options matters to a decoder."""
    return {name: getattr(options, name) for name in _OPTIONS}


def to_options(message: Message) -> ReadOptions:
    """The options that :func:`from_options` made a message of."""
    at_least_hw = message["at_least_hw"]
    return ReadOptions(**{**message, "at_least_hw": None if at_least_hw is None else tuple(at_least_hw)})


def from_error(error: Exception, source: str) -> dict[str, Any]:
    """An error on its way; one that no decoder should raise as :class:`DecoderError`."""
    known = error if isinstance(error, DetectattnError) else to_decoder_error(source, error)
    return {"is": "error", "kind": type(known).__name__, "problem": known.problem, "hint": known.hint}


def to_error(message: Message) -> DetectattnError:
    """The error that :func:`from_error` made a message of."""
    kind = getattr(errors, str(message["kind"]), None)
    if not (isinstance(kind, type) and issubclass(kind, DetectattnError)):
        raise ValueError(f"there is no error {kind}")
    return kind(str(message["problem"]), hint=str(message["hint"]))


def to_decoder_error(source: str, error: Exception) -> DecoderError:
    """Decoders raise anything on hostile bytes; what they raise, in words."""
    problem = f"{source} broke its decoder ({type(error).__name__}: {error})"
    return DecoderError(problem, hint="Look at the file with another program")


def send_frame(stream: BinaryIO, frame: Frame, shared: SharedPixels | None) -> None:
    """Send a frame: its pixels through shared memory, or after the message where there is none."""
    reduced = frame.reduced
    arrays = [frame.bgr] if reduced is None or reduced.bgr is frame.bgr else [frame.bgr, reduced.bgr]
    message = {
        "is": "frame",
        "index": frame.index,
        "timestamp_s": frame.timestamp_s,
        "warnings": frame.warnings,
        "shapes": [array.shape for array in arrays],
        "offsets": None if shared is None else shared.put(arrays),
        "reduced": None if reduced is None else [reduced.factor, reduced.origin_xy, reduced.image_hw],
    }
    write_message(stream, message, [array.data for array in arrays] if shared is None else ())


def to_frame(media: Media, message: Message, payload: bytearray, shared: SharedPixels | None) -> Frame:
    """The frame that was sent, its pixels copied.

    Raises:
        ValueError, KeyError, TypeError: It is no frame.
    """
    shapes = [tuple(map(int, shape)) for shape in message["shapes"]]
    if shared is not None:
        arrays = [shared.get(int(at), shape) for at, shape in zip(message["offsets"], shapes, strict=True)]
    else:
        arrays = _split(payload, shapes)
    reduced = None
    if message["reduced"] is not None:
        factor, (x, y), (height, width) = message["reduced"]
        reduced = Reduced(arrays[-1], factor, (x, y), (height, width))
    return Frame(
        media, message["index"], arrays[0], message["timestamp_s"], tuple(map(str, message["warnings"])), reduced
    )


def _split(payload: bytearray, shapes: Sequence[tuple[int, ...]]) -> list[U8]:
    arrays: list[U8] = []
    at = 0
    for shape in shapes:
        arrays.append(np.frombuffer(payload, np.uint8, prod(shape), at).reshape(shape))
        at += prod(shape)
    return arrays
