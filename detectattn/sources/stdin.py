"""Standard input: a picture's bytes, or a list of paths, one a line or separated by NUL, read as it arrives."""

from __future__ import annotations

import codecs
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from detectattn.errors import EmptySource, SourceError
from detectattn.sources.base import ReadCounts
from detectattn.sources.chain import chain_media
from detectattn.sources.list_file import open_entries
from detectattn.sources.recognise import SourceRequest
from detectattn.sources.sniff import HEAD_BYTES, describe_content, sniff_media, sniff_picture
from detectattn.types import FrameFailure, Media

_READ_BYTES = 1 << 16
_MAX_NAME_BYTES = 1 << 16
_SUFFIXES = {"JPEG": ".jpg", "JPEG2000": ".jp2", "HEIF": ".heic", "TIFF": ".tif", "PPM": ".pnm"}
_SNIFFABLE_BYTES = 24
# How pictures and videos may begin with bytes that a line of text could begin with too.
_TEXT_LIKE_MAGIC = re.compile(rb"GIF8|BM|II|MM|RIFF|8BPS|qoif|FLV|OggS|0&|P[1-7fFy]\s|\x89P|\xff|\0")
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class StdinSource:
    """What arrives on standard input. It can be read once.

    Attributes:
        request: What opened it.
        stdin: The bytes.
    """

    request: SourceRequest
    stdin: BinaryIO

    def iter_media(self, counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        """Yield the picture, or the media of each path as soon as its line is there.

        Raises:
            EmptySource: Nothing arrived.
            SourceError: It is neither a picture nor text.
        """
        head = _read_head(self.stdin)
        if not head:
            raise EmptySource("standard input is empty", hint="Pipe a picture's bytes or a list of paths into it")
        if sniff_media(head) == "image":
            yield Media("-", "image", head + self.stdin.read(), PurePosixPath(f"stdin{_to_suffix(head)}"))
            return
        content = describe_content(head.replace(b"\0", b"\n"))
        if content != "text":
            problem = f"standard input is neither a picture nor a list of paths: it is {content}"
            raise SourceError(problem, hint="Pipe a picture's bytes or a list of paths into it")
        entries = open_entries(_iter_names(head, self.stdin), self.request.folder, self.request.open_entry)
        yield from chain_media(entries, counts)

    def count(self) -> None:
        """Unknown before the end."""
        return


def open_stdin(request: SourceRequest) -> StdinSource:
    """Standard input; relative paths in a list start from the working directory.

    Raises:
        SourceError: The process was started without one.
    """
    if request.stdin is not None:
        return StdinSource(request, request.stdin)
    if sys.stdin is None:
        raise SourceError("standard input is closed", hint="Pipe a picture's bytes or a list of paths into it")
    return StdinSource(request, sys.stdin.buffer)


def _read_head(stdin: BinaryIO) -> bytes:
    """Read until it is clear what arrives, and no further: a list's next line may be hours away."""
    head = b""
    while len(head) < HEAD_BYTES and not _has_line(head) and (chunk := _read_some(stdin)):
        head += chunk
    return head


def _has_line(head: bytes) -> bool:
    """Whether the bytes hold a whole line of text, and are not the beginning of a picture that only looks like one."""
    if not re.search(rb"[\n\0]", head) or _CONTROL.search(head):
        return False
    return len(head) >= _SNIFFABLE_BYTES or not _TEXT_LIKE_MAGIC.match(head)


def _read_some(stdin: BinaryIO) -> bytes:
    """What is there, without waiting for more."""
    read1 = getattr(stdin, "read1", stdin.read)
    chunk: bytes = read1(_READ_BYTES)
    return chunk


def _to_suffix(head: bytes) -> str:
    picture_format = sniff_picture(head[:HEAD_BYTES]) or "image"
    return _SUFFIXES.get(picture_format, f".{picture_format.lower()}")


def _iter_names(head: bytes, stdin: BinaryIO) -> Iterator[str]:
    """Yield the names as they arrive: split at NUL, and verbatim, if the beginning holds one; else at line ends.

    Raises:
        SourceError: What arrives has no separators.
    """
    pending = head.removeprefix(codecs.BOM_UTF8)
    separator = b"\0" if b"\0" in pending else b"\n"
    chunk = head
    while chunk:
        *whole, pending = pending.split(separator)
        for name in whole:
            yield from _to_name(name, separator)
        if len(pending) > _MAX_NAME_BYTES:
            problem = f"standard input holds {len(pending)} bytes without a line end"
            raise SourceError(problem, hint="Pipe a picture's bytes or a list of paths into it")
        chunk = _read_some(stdin)
        pending += chunk
    yield from _to_name(pending, separator)


def _to_name(name: bytes, separator: bytes) -> Iterator[str]:
    if separator == b"\n":
        name = name.strip()
        if name.startswith(b"#"):
            return
    if name:
        yield os.fsdecode(name)
