"""Which pictures are decoded in a process of their own: all but sound JPEG and PNG.

Those two are what people have by the hundred thousand, their decoders have been under attack for decades, and a process
of its own would add its part to the few milliseconds that a picture takes. Sound means that the header promises nothing
odd and that the end is where it should be; nothing but the header and the last bytes is looked at.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_END_BYTES = 4096
_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
# Tables, comments and what programs add; not the frames of lossless, hierarchical or arithmetically coded JPEG.
_JPEG_SEGMENTS = _JPEG_FRAMES | {0xC4, *range(0xDB, 0xFF)}
_PROGRESSIVE = 0xC2
_JPEG_CHANNELS = frozenset({1, 3})
_MOST_SEGMENTS = 200
_MOST_SCANS = 100
# A block of 8 × 8 pixels takes four bits at least, so that more pixels a byte are no picture but work for a decoder.
_MOST_PIXELS_A_BYTE = 256
_PNG_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"


def is_doubtful(file: BinaryIO, picture_format: str) -> bool:
    """Whether a picture's decoder should not be trusted with it.

    Args:
        file: The encoded picture, seekable; its position afterwards is the one it had.
        picture_format: As :func:`~detectattn.sources.sniff.sniff_picture` names it.
    """
    is_sound = _CHECKS.get(picture_format)
    if is_sound is None:
        return True
    position = file.tell()
    size = file.seek(0, os.SEEK_END)
    try:
        return not is_sound(file, size)
    finally:
        file.seek(position)


def is_own_file(path: Path) -> bool:
    """Whether a path means nothing to another process: a pipe, a file that is open here (``/dev/stdin``), no file."""
    return path.parts[:2] in {("/", "dev"), ("/", "proc")} or not path.is_file()


def _is_sound_png(file: BinaryIO, size: int) -> bool:
    file.seek(0)
    if file.read(len(_PNG_START)) != _PNG_START:
        return False
    file.seek(max(0, size - len(_PNG_END)))
    return file.read() == _PNG_END


def _is_sound_jpeg(file: BinaryIO, size: int) -> bool:
    frame = _find_jpeg_frame(file)
    if frame is None:
        return False
    kind, header = frame
    height, width = int.from_bytes(header[1:3], "big"), int.from_bytes(header[3:5], "big")
    if header[0] != 8 or header[5] not in _JPEG_CHANNELS or not 0 < height * width <= _MOST_PIXELS_A_BYTE * size:
        return False
    file.seek(max(0, size - _END_BYTES))
    if b"\xff\xd9" not in file.read():
        return False
    return kind != _PROGRESSIVE or _count_scans(file) <= _MOST_SCANS


def _find_jpeg_frame(file: BinaryIO) -> tuple[int, bytes] | None:
    """Which frame header comes before the first scan, and its fields; None where there is none, or an odd segment."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        file.seek(at)
        head = file.read(10)
        length = int.from_bytes(head[2:4], "big")
        if len(head) < 10 or head[0] != 0xFF or head[1] not in _JPEG_SEGMENTS or length < 2:
            return None
        if head[1] in _JPEG_FRAMES:
            return head[1], head[4:]
        at += 2 + length
    return None


def _count_scans(file: BinaryIO) -> int:
    """Each scan of a progressive JPEG goes over all of its pixels; thousands of empty ones take hours."""
    file.seek(0)
    return file.read().count(b"\xff\xda")


_CHECKS = {"JPEG": _is_sound_jpeg, "PNG": _is_sound_png}
