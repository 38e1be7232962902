"""Whether a file ends before its picture does, by the structure of its container alone.

Decoders report this in many ways, some not at all; lengths that a container states do not depend on a decoder.
"""

from __future__ import annotations

import os
from typing import BinaryIO

_END_OF_IMAGE = b"\xff\xd9"


def is_cut_short(file: BinaryIO, picture_format: str) -> bool:
    """Whether the container says that more bytes should follow.

    Args:
        file: The encoded picture, seekable; its position afterwards is the one it had.
        picture_format: As :func:`~detectattn.sources.sniff.sniff_picture` names it.

    Returns:
        False also for a format whose container does not tell.
    """
    check = _CHECKS.get(picture_format)
    if check is None:
        return False
    position = file.tell()
    size = file.seek(0, os.SEEK_END)
    try:
        return check(file, size)
    finally:
        file.seek(position)


def find_jpeg_scan(content: bytes) -> int | None:
    """Where the compressed data of a JPEG's first scan begins, or None when the bytes end before."""
    at = 2
    while at + 4 <= len(content):
        if content[at] != 0xFF:
            at += 1
        elif content[at + 1] in {0xFF, 0x01} or 0xD0 <= content[at + 1] <= 0xD8:
            at += 1 if content[at + 1] == 0xFF else 2
        else:
            after = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
            if content[at + 1] == 0xDA:
                return after if after < len(content) else None
            at = after
    return None


def has_jpeg_end(content: bytes) -> bool:
    """Whether a JPEG's end marker follows its first scan (one inside an embedded preview does not count)."""
    scan = find_jpeg_scan(content)
    # From the end, where it is in nearly every file.
    return scan is not None and content.rfind(_END_OF_IMAGE, scan) >= 0


def _is_jpeg_cut(file: BinaryIO, size: int) -> bool:
    file.seek(0)
    return not has_jpeg_end(file.read(size))


def _is_png_cut(file: BinaryIO, size: int) -> bool:
    at = 8
    while at + 12 <= size:
        file.seek(at)
        header = file.read(8)
        if header[4:] == b"IEND":
            return False
        at += 12 + int.from_bytes(header[:4], "big")
    return True


def _is_gif_cut(file: BinaryIO, size: int) -> bool:
    """Walk the blocks up to the trailer; a GIF states no length."""
    file.seek(0)
    head = file.read(13)
    at = 13 + _color_table_bytes(head[10:11])
    while at < size:
        file.seek(at)
        mark = file.read(10)
        if mark[:1] == b";":
            return False
        if mark[:1] == b"!":
            at = _skip_gif_blocks(file, at + 2)
        elif mark[:1] == b"," and len(mark) == 10:
            at = _skip_gif_blocks(file, at + 11 + _color_table_bytes(mark[9:10]))
        else:
            return len(mark) < 10
    return True


def _color_table_bytes(flags: bytes) -> int:
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _skip_gif_blocks(file: BinaryIO, at: int) -> int:
    file.seek(at)
    while length := file.read(1):
        at += 1 + length[0]
        if length == b"\x00":
            break
        file.seek(length[0], os.SEEK_CUR)
    return at


def _is_riff_cut(file: BinaryIO, size: int) -> bool:
    file.seek(4)
    return size < 8 + int.from_bytes(file.read(4), "little")


def _is_tiff_cut(file: BinaryIO, size: int) -> bool:
    """Whether the first directory lies beyond the end (many writers put it last)."""
    file.seek(0)
    head = file.read(16)
    order = "little" if head[:2] == b"II" else "big"
    big = head[2:4] in {b"+\x00", b"\x00+"}
    at = int.from_bytes(head[8:16] if big else head[4:8], order)  # type: ignore[arg-type]  # a literal of two
    file.seek(min(at, size))
    entries = int.from_bytes(file.read(8 if big else 2), order)  # type: ignore[arg-type]  # as above
    return at + (8 + 20 * entries + 8 if big else 2 + 12 * entries + 4) > size


def _is_boxes_cut(file: BinaryIO, size: int) -> bool:
    """Walk the top-level boxes of an ISO base media file or a JPEG 2000 one."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        header = file.read(16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 0:
            return kind == b"jp2c" and not _ends_codestream(file, size)
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:
            return False
        at += length
    return at > size or size - at in range(1, 8)


def _is_jpeg2000_cut(file: BinaryIO, size: int) -> bool:
    file.seek(0)
    if file.read(2) == b"\xff\x4f":
        return not _ends_codestream(file, size)
    return _is_boxes_cut(file, size)


def _ends_codestream(file: BinaryIO, size: int) -> bool:
    file.seek(max(0, size - 64))
    return file.read(64).rstrip(b"\x00\r\n").endswith(_END_OF_IMAGE)


_CHECKS = {
    "JPEG": _is_jpeg_cut,
    "PNG": _is_png_cut,
    "GIF": _is_gif_cut,
    "WEBP": _is_riff_cut,
    "TIFF": _is_tiff_cut,
    "AVIF": _is_boxes_cut,
    "HEIF": _is_boxes_cut,
    "JPEG2000": _is_jpeg2000_cut,
}
