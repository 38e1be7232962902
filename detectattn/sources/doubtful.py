"""Which pictures are decoded in a process of their own: all but sound JPEG and PNG.

Those two are what people have by the hundred thousand, their decoders have been under attack for decades, and a process
of its own would add its part to the few milliseconds that a picture takes. Sound means that the file holds one picture,
that its header promises nothing odd and that the end is where it should be; nothing but the header and the last bytes
is looked at, and in a JPEG of several scans how many there are.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from detectattn.sources.image_jpeg import has_further_views

_END_BYTES = 4096
_PROGRESSIVE = 0xC2
_JPEG_FRAMES = frozenset({0xC0, 0xC1, _PROGRESSIVE})
_SCAN, _APP2 = 0xDA, 0xE2
# Tables, comments and what programs add: segments that every decoder steps over by the length that they state. Not the
# frames of lossless, hierarchical or arithmetically coded JPEG.
_JPEG_SEGMENTS = _JPEG_FRAMES | {0xC4, _SCAN, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE}
_JPEG_CHANNELS = frozenset({1, 3})
_MOST_SEGMENTS = 200
_MOST_SCANS = 100
# A block of 8 × 8 pixels takes four bits at least, so that more pixels a byte are no picture but work for a decoder.
_MOST_PIXELS_A_BYTE = 256
_PNG_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_PNG_SIGNATURE_BYTES = 8
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_MOST_CHUNKS = 1000


@dataclass(frozen=True, slots=True)
class _JpegHeader:
    """What a JPEG says before the data of its first scan."""

    is_progressive: bool
    bits: int
    height: int
    width: int
    channels: int
    first_scan_channels: int
    is_multi_picture: bool

    @property
    def has_several_scans(self) -> bool:
        """Whether decoders read on after the first scan (as libjpeg decides it); each goes over all pixels."""
        return self.is_progressive or self.first_scan_channels < self.channels


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
    if file.read(len(_PNG_START)) != _PNG_START or _is_animated(file):
        return False
    file.seek(max(0, size - len(_PNG_END)))
    return file.read() == _PNG_END


def _is_animated(file: BinaryIO) -> bool:
    """Whether a PNG is an animation, which says so before its first pixels, or has no pixels within reach."""
    at = _PNG_SIGNATURE_BYTES
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if head[4:] == b"IDAT":
            return False
        if len(head) < 8 or head[4:] == b"acTL":
            return True
        at += 12 + int.from_bytes(head[:4], "big")
    return True


def _is_sound_jpeg(file: BinaryIO, size: int) -> bool:
    header = _read_jpeg_header(file)
    if header is None or header.bits != 8 or header.channels not in _JPEG_CHANNELS:
        return False
    if not 0 < header.height * header.width <= _MOST_PIXELS_A_BYTE * size:
        return False
    file.seek(max(0, size - _END_BYTES))
    if b"\xff\xd9" not in file.read():
        return False
    if header.has_several_scans and _count_scans(file) > _MOST_SCANS:
        return False
    return not (header.is_multi_picture and _is_of_several_views(file))


def _read_jpeg_header(file: BinaryIO) -> _JpegHeader | None:
    """The segments up to the first scan; None where there is none, or an odd one before it."""
    frame: tuple[int, bytes] | None = None
    is_multi_picture = False
    at = 2
    for _ in range(_MOST_SEGMENTS):
        file.seek(at)
        head = file.read(10)
        length = int.from_bytes(head[2:4], "big")
        if len(head) < 10 or head[0] != 0xFF or head[1] not in _JPEG_SEGMENTS or length < 2:
            return None
        kind, fields = head[1], head[4:]
        if kind == _SCAN:
            return None if frame is None else _to_header(*frame, fields[0], is_multi_picture)
        if kind in _JPEG_FRAMES:
            if frame is not None:
                return None
            frame = kind, fields
        is_multi_picture |= kind == _APP2 and fields.startswith(b"MPF\0")
        at += 2 + length
    return None


def _to_header(kind: int, fields: bytes, first_scan_channels: int, is_multi_picture: bool) -> _JpegHeader:
    return _JpegHeader(
        is_progressive=kind == _PROGRESSIVE,
        bits=fields[0],
        height=int.from_bytes(fields[1:3], "big"),
        width=int.from_bytes(fields[3:5], "big"),
        channels=fields[5],
        first_scan_channels=first_scan_channels,
        is_multi_picture=is_multi_picture,
    )


def _count_scans(file: BinaryIO) -> int:
    """Thousands of empty ones take hours."""
    file.seek(0)
    return file.read().count(b"\xff\xda")


def _is_of_several_views(file: BinaryIO) -> bool:
    """Whether a JPEG with an index of pictures holds more than one that is decoded: no preview, no gain map."""
    file.seek(0)
    try:
        return has_further_views(file)
    except Exception:  # noqa: BLE001 - on a damaged header Pillow raises nearly every kind; none of it is sound
        return True


_CHECKS = {"JPEG": _is_sound_jpeg, "PNG": _is_sound_png}
