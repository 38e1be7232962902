"""What a source's text names: a file, a folder, a pattern, a list, a URL, a stream, a camera, standard input."""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from detectattn.errors import SourceNotFound
from detectattn.sources.base import ReadOptions, Source
from detectattn.sources.naming import to_one_line
from detectattn.sources.sniff import HEAD_BYTES, sniff_media
from detectattn.storage import STORAGE_SCHEMES
from detectattn.user_paths import expand_home

SourceKind: TypeAlias = Literal["file", "folder", "pattern", "list", "url", "objects", "stream", "camera", "stdin"]

_STREAM_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "rtp", "srt", "udp", "tcp"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_LISTED_SIBLINGS = 5000


@dataclass(frozen=True, slots=True, eq=False)
class SourceRequest:
    """One source that is to be opened.

    Attributes:
        text: As it was given.
        path: The path it names; without meaning for URLs, streams, cameras and standard input.
        folder: What a relative path starts from.
        options: How inputs are read.
        alone: Whether it is the only source of a run; media of one folder are then named relative to it.
        open_entry: Opens what a line of a list names; relative paths resolve against the given folder.
        stdin: Standard input, or None for the process's own.
    """

    text: str
    path: Path
    folder: Path
    options: ReadOptions
    alone: bool
    open_entry: Callable[[str, Path], Source]
    stdin: BinaryIO | None = None


def recognise(text: str, folder: Path) -> tuple[SourceKind, Path]:
    """Tell what a source's text names. What exists under that very name comes before what it might mean otherwise.

    Args:
        text: As it was given.
        folder: What a relative path starts from.

    Returns:
        The kind, and the path for kinds that have one.

    Raises:
        SourceNotFound: It is no address, and nothing of that name exists.
    """
    if text == "-":
        return "stdin", folder
    if scheme := _SCHEME.match(text):
        return _recognise_url(text, scheme[1].lower())
    path = _to_path(text, folder)
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        return "folder", path
    if os.path.lexists(path):
        return _recognise_file(path), path
    if text.isascii() and text.isdigit() and len(text) < 10:
        return "camera", folder
    if any(character in text for character in "*?["):
        return "pattern", path
    raise to_not_found(text, path)


def identify_file(path: Path) -> Literal["image", "video"] | None:
    """Whether a file is a picture or a video, by its first bytes; None when they are neither, or cannot be read.

    A pipe is not even opened: it would wait for a writer, and what is read from it is gone.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            return sniff_media(file.read(HEAD_BYTES))
    except OSError:
        return None


def is_special(path: Path) -> bool:
    """Whether something is there that is no regular file: a pipe, a socket, a device, a link to one, or to nothing."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return os.path.islink(path)  # noqa: PTH114 - Path.is_link raises where a name is too long


def to_no_regular_file(text: str) -> SourceNotFound:
    """The error for what :func:`is_special`, where nobody named it by itself."""
    return SourceNotFound(f"{to_one_line(text)} is a link to nothing, or no regular file", hint="Check the link")


def to_not_found(text: str, path: Path) -> SourceNotFound:
    """The error for a path that does not exist, with the names nearest to it."""
    name, parent = to_one_line(text), path.parent
    if not os.path.isdir(parent):  # noqa: PTH112 - as above
        folder = to_one_line(str(parent))
        return SourceNotFound(f"{name} does not exist: there is no folder {folder}", hint="Check the path")
    try:
        siblings = [entry.name for entry in islice(os.scandir(parent), _LISTED_SIBLINGS)]
    except OSError:
        siblings = []
    near = _nearest(path.name, siblings)
    hint = f"Did you mean {' or '.join(map(to_one_line, near))}?" if near else "Check the path"
    return SourceNotFound(f"{name} does not exist", hint=hint)


def _nearest(name: str, siblings: list[str]) -> list[str]:
    by_folded = {sibling.casefold(): sibling for sibling in sorted(siblings)}
    return [by_folded[folded] for folded in difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6)]


def _recognise_url(text: str, scheme: str) -> tuple[SourceKind, Path]:
    if scheme in {"http", "https"}:
        return "url", Path()
    if scheme in STORAGE_SCHEMES:
        return "objects", Path()
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise SourceNotFound(f"{to_one_line(text)} is no address ({error})", hint="Check its spelling") from error
    if scheme in _STREAM_SCHEMES:
        return "stream", Path()
    if scheme == "file":
        path = Path(unquote(parts.path))
        return recognise(str(path), path.parent)
    problem = f"{to_one_line(text)} has the scheme {scheme}, which cannot be read"
    schemes = "http, https, s3, gs, az, rtsp, rtmp, srt, rtp, udp or tcp"
    raise SourceNotFound(problem, hint=f"Give a path, or an address with {schemes}")


def _recognise_file(path: Path) -> SourceKind:
    if re.fullmatch(r"/dev/video\d+", str(path)):
        return "camera"
    if path.suffix.lower() == ".txt" and identify_file(path) is None:
        return "list"
    return "file"


def _to_path(text: str, folder: Path) -> Path:
    path = folder / text
    if text.startswith("~") and not os.path.lexists(path):
        return expand_home(text)
    return path
