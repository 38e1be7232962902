"""Lists of sources, in a file and on standard input: every line is recognised and named, nothing is opened."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from detectattn.errors import EmptySource
from detectattn.sources.base import ReadCounts, ReadOptions, Source
from detectattn.sources.list_file import open_list
from detectattn.sources.naming import to_one_line, to_output_name, to_record_name
from detectattn.sources.pattern_match import matches, split_pattern
from detectattn.sources.recognise import SourceRequest, recognise
from detectattn.sources.single import open_camera, open_stream, open_url
from detectattn.sources.stdin import open_stdin
from detectattn.types import FrameFailure
from fuzz.contract import read_or_refuse, require_line
from fuzz.target import Target

_NAMES = ("a", "b", "c.jpg")
_MAX_MEDIA = 200


def run(content: bytes, folder: Path) -> None:
    """Read as a list and as standard input."""
    path = folder / "list.txt"
    path.write_bytes(content)
    request = SourceRequest("list.txt", path, folder, ReadOptions(), True, _open_entry, io.BytesIO(content))
    for opener in (open_list, open_stdin):
        read_or_refuse(_drain, opener, request)


def _drain(opener: Callable[[SourceRequest], Source], request: SourceRequest) -> None:
    source = opener(request)
    for item in islice(source.iter_media(ReadCounts()), _MAX_MEDIA):
        if isinstance(item, FrameFailure):
            require_line(item.message)
        to_record_name(item.source).encode()


def _open_entry(entry: str, folder: Path) -> Source:
    """As a list opens its lines, but for folders and patterns: those would walk this machine."""
    kind, path = recognise(entry, folder)
    assert to_one_line(entry).isprintable()
    to_output_name(entry).encode()
    if kind == "pattern":
        root, rest = split_pattern(entry)
        str(root)
        matches(_NAMES, rest)
    request = SourceRequest(entry, path, folder, ReadOptions(), False, _open_entry)
    if kind == "url":
        return open_url(request)
    if kind == "stream":
        return open_stream(request)
    if kind == "camera":
        return open_camera(request)
    raise EmptySource(f"{to_one_line(entry)} is not opened here", hint="It would be read")


TARGET = Target(
    reads="lists of sources, in a file and on standard input",
    modules=("detectattn.sources", "detectattn.fetch.addresses"),
    run=run,
)
