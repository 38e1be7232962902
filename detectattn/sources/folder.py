"""A folder: every picture and video below it, found by content, in a fixed order, one directory at a time.

Entries of a directory, files and folders alike, come in natural order: ``img2`` before ``img10``. Left out are hidden
entries and run folders of ours. Each real directory is read once: a symbolic link to one that is read under its own
name, or was read already, is passed over, so that loops end.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from detectattn.errors import EmptySource
from detectattn.sources.base import ReadCounts
from detectattn.sources.naming import to_distinct_names, to_one_line, to_output_name, to_record_name
from detectattn.sources.recognise import SourceRequest, identify_file, to_no_regular_file
from detectattn.sources.single import to_file_media
from detectattn.sources.suffixes import MEDIA_SUFFIXES
from detectattn.types import FrameFailure, Media

_AT_TOP = PurePosixPath()
_RUN_FILE = "run.json"
# Whole, or in parts.
_RECORDS = frozenset({"predictions.jsonl", "predictions"})


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The media below a folder.

    Attributes:
        root: The folder.
        record_prefix: What precedes the relative path in records: nothing, or the folder as given with a slash.
        output_root: Where its tree is mirrored, relative to the run's outputs.
    """

    root: Path
    record_prefix: str = ""
    output_root: PurePosixPath = _AT_TOP

    def iter_media(self, counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        """Yield the media, directory by directory; a directory that cannot be read is a failure in its place."""
        for entry in walk_files(self.root, self.output_root):
            source = self.record_prefix + to_record_name(entry.relative)
            if entry.error is not None:
                yield FrameFailure(source, None, "source", entry.error)
            elif not _is_media(entry.path):
                counts.skip(entry.path)
            elif not entry.is_regular:
                yield to_broken_link(source)
            else:
                yield to_file_media(entry.path, source, entry.output)

    def count(self) -> int:
        """Walk the tree; only files without a known suffix are looked into."""
        return sum(
            e.error is None and e.is_regular and _is_media(e.path) for e in walk_files(self.root, self.output_root)
        )

    def under(self, output_root: PurePosixPath) -> FolderSource:
        """The same folder, mirrored elsewhere."""
        return replace(self, output_root=output_root)


def open_folder(request: SourceRequest) -> FolderSource:
    """A folder, recursively.

    Raises:
        EmptySource: It holds neither pictures nor videos. Only for the one source of a run.
    """
    if not request.alone:
        name = to_output_name(request.path.resolve().name or "root")
        text = to_record_name(request.text)
        return FolderSource(request.path, text if text.endswith("/") else f"{text}/", PurePosixPath(name))
    source = FolderSource(request.path)
    counts = ReadCounts()
    if next(source.iter_media(counts), None) is None:
        raise to_empty(request.text, counts)
    return source


def to_empty(text: str, counts: ReadCounts) -> EmptySource:
    """The error for a folder without media, saying what it holds instead."""
    skipped = sum(counts.skipped.values())
    found = f": {skipped} other {'file' if skipped == 1 else 'files'}" if skipped else ""
    problem = f"{to_one_line(text)} holds neither pictures nor videos{found}"
    return EmptySource(problem, hint="Give a folder with pictures; hidden entries and earlier run folders are left out")


def natural_key(name: str) -> tuple[list[tuple[int, int | str]], str]:
    """Sorts digits by their value; equal ones (``01``, ``1``) by the name itself."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(p)) if i % 2 else (1, p) for i, p in enumerate(parts) if p], name


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file below a folder, or a directory that cannot be read.

    Attributes:
        path: Where it is.
        relative: Its path from the folder, with ``/``.
        output: Where its outputs go.
        is_regular: False for a broken link, a pipe, a device.
        error: Why the directory cannot be read.
    """

    path: Path
    relative: str
    output: PurePosixPath
    is_regular: bool = True
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Directory:
    path: Path
    relative: str
    output: PurePosixPath


def walk_files(root: Path, output_root: PurePosixPath = _AT_TOP) -> Iterator[FoundFile]:
    """Yield the files and unreadable directories below ``root``. Holds the listings of one branch, not of the tree."""
    real_root = root.resolve()
    visited: set[tuple[int, int]] = set()
    # The root counts as read, or a link to a folder above it would lead back down into it under another name.
    _is_new(real_root, real_root, visited)
    stack = [_iter_children(_Directory(root, "", output_root), is_root=True)]
    while stack:
        child = next(stack[-1], None)
        if child is None:
            stack.pop()
        elif isinstance(child, FoundFile):
            yield child
        elif _is_new(child.path, real_root, visited):
            stack.append(_iter_children(child))


def _iter_children(directory: _Directory, *, is_root: bool = False) -> Iterator[FoundFile | _Directory]:
    try:
        with os.scandir(directory.path) as listing:
            children = {child.name: child for child in listing if not child.name.startswith(".")}
    except OSError as error:
        name = to_one_line(str(directory.path))
        message = f"{name} cannot be read: {error.strerror}. Check its permissions."
        yield FoundFile(directory.path, directory.relative or ".", directory.output, error=message)
        return
    if _RUN_FILE in children and not _RECORDS.isdisjoint(children) and not is_root:
        return
    names = sorted(children, key=natural_key)
    outputs = to_distinct_names(names)
    for name in names:
        child = children.pop(name)
        relative = f"{directory.relative}/{name}" if directory.relative else name
        path, output = directory.path / name, directory.output / outputs[name]
        if _is_directory(child):
            yield _Directory(path, relative, output)
        else:
            yield FoundFile(path, relative, output, _is_regular(child))


def _is_new(path: Path, real_root: Path, visited: set[tuple[int, int]]) -> bool:
    """Whether a directory is to be entered here, and not under another name."""
    if path.is_symlink():
        real = path.resolve()
        if real == real_root or (
            real.is_relative_to(real_root)
            and not any(part.startswith(".") for part in real.relative_to(real_root).parts)
        ):
            return False
    try:
        status = path.stat()
    except OSError:
        return True
    key = (status.st_dev, status.st_ino)
    is_new = key not in visited
    visited.add(key)
    return is_new


def _is_directory(child: os.DirEntry[str]) -> bool:
    try:
        return child.is_dir()
    except OSError:
        return False


def _is_regular(child: os.DirEntry[str]) -> bool:
    try:
        return stat.S_ISREG(child.stat().st_mode)
    except OSError:
        return False


def _is_media(path: Path) -> bool:
    return path.suffix.lower() in MEDIA_SUFFIXES or identify_file(path) is not None


def to_broken_link(source: str) -> FrameFailure:
    """The failure of a link to nothing, a pipe, a socket or a device among files."""
    error = to_no_regular_file(source)
    return FrameFailure(source, None, error.code, str(error))
