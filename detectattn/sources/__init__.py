"""Sources: what the user names becomes media, and media become frames.

    open_sources(["street/", "bus.jpg"], options) → iter_media(counts) → Media → iter_frames(media, options) → Frame

To add a kind of source: a file with its opener, a line in ``_SOURCES``, a branch in ``recognise``. To add a kind of
media: a file with its frame iterator and a line in ``_FRAMES``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from detectattn.errors import EmptySource, SourceError
from detectattn.sources.base import FrameOpener, ReadCounts, ReadOptions, Source
from detectattn.sources.naming import to_one_line
from detectattn.sources.recognise import SourceKind, SourceRequest, is_special, recognise, to_no_regular_file
from detectattn.types import Frame, Media, MediaKind

__all__ = ["FrameOpener", "ReadCounts", "ReadOptions", "Source", "iter_frames", "open_source", "open_sources"]

_SOURCES: Mapping[SourceKind, str] = {
    "file": "detectattn.sources.single:open_file",
    "folder": "detectattn.sources.folder:open_folder",
    "pattern": "detectattn.sources.pattern:open_pattern",
    "list": "detectattn.sources.list_file:open_list",
    "url": "detectattn.sources.single:open_url",
    "objects": "detectattn.sources.remote:open_objects",
    "stream": "detectattn.sources.single:open_stream",
    "camera": "detectattn.sources.single:open_camera",
    "stdin": "detectattn.sources.stdin:open_stdin",
}
_FRAMES: Mapping[MediaKind, str] = {
    "image": "detectattn.sources.image:iter_image_frames",
    "video": "detectattn.sources.video:iter_video_frames",
    "stream": "detectattn.sources.stream:iter_stream_frames",
    "url": "detectattn.sources.url:iter_url_frames",
}


def open_sources(
    texts: Sequence[str | os.PathLike[str]], options: ReadOptions, *, stdin: BinaryIO | None = None
) -> Source:
    """Open what the user named, one source or several.

    With one folder, media are named relative to it; with several sources, a folder's media are named with the folder as
    it was given before them, and each source's outputs have a place of their own. What is named twice is read once.

    Args:
        texts: Paths, patterns, URLs, ``-``, a camera's index.
        options: How inputs are read.
        stdin: Standard input, or None for the process's own.

    Raises:
        SourceNotFound: Nothing of such a name exists, or a pattern matches nothing.
        EmptySource: The one folder, pattern or list holds nothing.
        SourceError: A list cannot be read.
    """
    if not texts:
        raise EmptySource(
            "no source was given", hint="Name an image, a folder, a video, a URL, or - for standard input"
        )
    distinct = list(dict.fromkeys(os.fspath(text) for text in texts))
    if len(distinct) == 1:
        return open_source(distinct[0], options, stdin=stdin)
    from detectattn.sources.chain import SourceChain

    return SourceChain(tuple(_open(text, Path(), options, alone=False, stdin=stdin) for text in distinct))


def open_source(text: str | os.PathLike[str], options: ReadOptions, *, stdin: BinaryIO | None = None) -> Source:
    """Open one source, the only one of a run.

    Args:
        text: A path, a pattern, a URL, ``-``, a camera's index.
        options: How inputs are read.
        stdin: Standard input, or None for the process's own.

    Raises:
        SourceNotFound, EmptySource, SourceError: As :func:`open_sources` says.
    """
    return _open(os.fspath(text), Path(), options, alone=True, stdin=stdin)


def iter_frames(media: Media, options: ReadOptions) -> Iterator[Frame]:
    """Decode one medium to frames, as its kind demands. Closing the iterator frees what it holds.

    Raises:
        SourceError, FetchError: The medium, or a frame of it, cannot be read.
    """
    opener: FrameOpener = _load(_FRAMES[media.kind])
    return opener(media, options)


def _open(text: str, folder: Path, options: ReadOptions, *, alone: bool, stdin: BinaryIO | None) -> Source:
    def open_entry(entry: str, entry_folder: Path) -> Source:
        return _open_entry(entry, entry_folder, options)

    kind, path = recognise(text, folder)
    request = SourceRequest(text, path, folder, options, alone, open_entry, stdin)
    source: Source = _load(_SOURCES[kind])(request)
    return source


def _open_entry(text: str, folder: Path, options: ReadOptions) -> Source:
    """Open what a line of a list names: anything but another list, standard input, or a pipe or device."""
    kind, path = recognise(text, folder)
    if kind in {"list", "stdin"}:
        what = "standard input (-)" if kind == "stdin" else f"{to_one_line(text)}, itself a list,"
        raise SourceError(f"{what} cannot be an entry of a list", hint="Give it on the command line instead")
    if kind == "file" and is_special(path):
        raise to_no_regular_file(text)
    return _open(text, folder, options, alone=False, stdin=None)


def _load(target: str) -> Any:
    module, name = target.split(":")
    return getattr(import_module(module), name)
