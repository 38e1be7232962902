"""A text file of sources: one a line, blank lines and lines that begin with ``#`` ignored."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from detectattn.errors import DetectattnError, EmptySource, SourceError
from detectattn.sources.base import ReadCounts, Source
from detectattn.sources.chain import chain_media, count_media
from detectattn.sources.naming import to_one_line, to_record_name
from detectattn.sources.recognise import SourceRequest, is_special
from detectattn.sources.sniff import HEAD_BYTES, LFS_PREFIX, describe_content
from detectattn.types import FrameFailure, Media

_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class ListSource:
    """The sources that a text file names. Relative ones start from the file's own folder.

    Attributes:
        request: What opened it.
    """

    request: SourceRequest

    def iter_media(self, counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        """Yield the media, opening each line as it is reached; a line that names nothing is a failure in its place."""
        return chain_media(self._iter_parts(), counts)

    def count(self) -> int | None:
        """Open every line and count; None where that of one cannot be known."""
        return count_media(self._iter_parts())

    def _iter_parts(self) -> Iterator[Source | FrameFailure]:
        path = self.request.path
        return open_entries(iter_lines(path), path.parent, self.request.open_entry)


def open_list(request: SourceRequest) -> ListSource:
    """A list file.

    Raises:
        EmptySource: It names nothing.
        SourceError: It is no text, or cannot be read.
    """
    name = to_one_line(request.text)
    if is_special(request.path):
        problem = f"{name} is no regular file, and a list is read more than once"
        raise SourceError(problem, hint=f"Pipe it into the command: detectattn predict - < {name}")
    try:
        with request.path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        is_empty = next(iter_lines(request.path), None) is None
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror}", hint="Check its permissions") from error
    if is_empty:
        raise EmptySource(f"{name} names no source", hint="Write one path, pattern or URL on each line")
    content = describe_content(head)
    if content != "text" or head.startswith(LFS_PREFIX):
        content = "a Git LFS pointer" if head.startswith(LFS_PREFIX) else content
        raise SourceError(f"{name} is no list of sources: it is {content}", hint="Write one path or URL on each line")
    return ListSource(request)


def iter_lines(path: Path) -> Iterator[str]:
    """Yield the lines that name a source, without surrounding blanks."""
    with path.open("rb") as file:
        head = file.read(4)
    encoding = next((name for mark, name in _ENCODINGS if head.startswith(mark)), "utf-8")
    # UTF-16 that breaks off within a character is beyond escaping.
    with path.open(encoding=encoding, errors="surrogateescape" if encoding != "utf-16" else "replace") as lines:
        for line in lines:
            entry = line.strip()
            if entry and not entry.startswith("#"):
                yield entry


def open_entries(
    entries: Iterable[str], folder: Path, open_entry: Callable[[str, Path], Source]
) -> Iterator[Source | FrameFailure]:
    """Open each line of a list as it is reached; what cannot be opened is a failure in its place.

    Args:
        entries: The lines.
        folder: What relative paths start from.
        open_entry: Opens one.
    """
    for entry in entries:
        try:
            yield open_entry(entry, folder)
        except DetectattnError as error:
            yield FrameFailure(to_record_name(entry), None, error.code, str(error))
