"""What inputs are called: in records, in messages, and where their outputs go."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from itertools import count
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

_MAX_OUTPUT_NAME_BYTES = 200
"""File systems take 255; outputs add frame numbers and suffixes."""
# Those that stand for no byte: JSON can name them, no file's name can hold them.
_OTHER_SURROGATES = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def to_record_name(name: str) -> str:
    r"""A name that records can hold: bytes of a Linux file name that are not UTF-8 become ``\xff`` and the like."""
    name = _OTHER_SURROGATES.sub(lambda match: f"\\u{ord(match[0]):04x}", name)
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def to_one_line(name: str) -> str:
    """A name as messages show it: line breaks and other control characters escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in to_record_name(name)
    )


def to_output_name(name: str) -> str:
    """One component of an output path: valid UTF-8, and short enough that a suffix or number can follow."""
    clean = to_record_name(name).replace("\0", "").replace("/", "_")
    if clean in {"", ".", ".."}:
        return "_"
    encoded = clean.encode("utf-8")
    if len(encoded) <= _MAX_OUTPUT_NAME_BYTES:
        return clean
    path = PurePosixPath(clean)
    suffix = path.suffix if len(path.suffix.encode("utf-8")) <= 16 else ""
    mark = f"-{hashlib.sha256(encoded).hexdigest()[:8]}{suffix}"
    return encoded[: _MAX_OUTPUT_NAME_BYTES - len(mark.encode("utf-8"))].decode("utf-8", "ignore") + mark


def to_url_output_name(url: str) -> str:
    """The last segment of a URL's path, or its host where the path is empty."""
    parts = urlsplit(url)
    segment = unquote(parts.path.rstrip("/").rsplit("/", 1)[-1]).replace("\\", "_")
    return to_output_name(segment or parts.hostname or "url")


def to_distinct_names(names: Iterable[str]) -> dict[str, str]:
    """An output name for each name in one directory, distinct also on a file system that ignores case.

    The first of those that are equal keeps its name, the others are numbered: ``bus.jpg``, ``BUS-2.jpg``.
    """
    listed = list(names)
    used = {to_output_name(name).casefold() for name in listed}
    outputs, taken = {}, set[str]()
    for name in listed:
        output = to_output_name(name)
        if output.casefold() in taken:
            output = next(new for n in count(2) if (new := _number(output, n)).casefold() not in used | taken)
        taken.add(output.casefold())
        outputs[name] = output
    return outputs


class OutputNames:
    """Hands out the output paths of a run, each once, compared without regard to case."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._parents: set[str] = set()
        self._folders: set[str] = set()
        self._numbers: dict[str, int] = {}

    def claim_folder(self, name: str) -> PurePosixPath:
        """A top-level folder below which no one else gets a path: ``name``, or ``name-2``, ….

        Args:
            name: A component as :func:`to_output_name` makes it.
        """
        path = PurePosixPath(name)
        folder = next(p for n in count(1) if not self._is_taken(p := _number_folder(path, n)))
        self._folders.add(_fold(folder))
        return folder

    def claim(self, path: PurePosixPath) -> PurePosixPath:
        """A file's path: ``path``, or with a number in its name, or in its first folder's where that is someone's."""
        if len(path.parts) > 1:
            path = self._free_top(path.parts[0]) / path.relative_to(path.parts[0])
        wanted = _fold(path)
        for number in count(self._numbers.get(wanted, 1)):
            candidate = path.with_name(_number(path.name, number))
            if not self._is_taken(candidate):
                break
        self._numbers[wanted] = number + 1
        self._files.add(_fold(candidate))
        self._parents.update(_fold(parent) for parent in candidate.parents[:-1])
        return candidate

    def _free_top(self, name: str) -> PurePosixPath:
        folders = (_number_folder(PurePosixPath(name), n) for n in count(1))
        return next(f for f in folders if _fold(f) not in self._files and _fold(f) not in self._folders)

    def _is_taken(self, path: PurePosixPath) -> bool:
        key = _fold(path)
        return key in self._files or key in self._folders or key in self._parents


def _fold(path: PurePosixPath) -> str:
    return path.as_posix().casefold()


def _number(name: str, number: int) -> str:
    path = PurePosixPath(name)
    return name if number == 1 else f"{path.stem}-{number}{path.suffix}"


def _number_folder(path: PurePosixPath, number: int) -> PurePosixPath:
    return path if number == 1 else PurePosixPath(f"{path.name}-{number}")
