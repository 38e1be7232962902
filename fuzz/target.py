"""What a fuzz target is, and how one stream of bytes becomes several files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SEPARATOR = b"\n=====\n"
"""Between the files of an input that stands for several."""


@dataclass(frozen=True, slots=True)
class Target:
    """A reader and how it is fed.

    Attributes:
        reads: What it reads, in words.
        modules: Packages and modules whose branches guide the fuzzer.
        run: Feeds bytes to the reader; the folder is empty and its own. Raises only on a defect.
        max_bytes: Longest input tried.
        is_json: Whether its files hold JSON, which is then changed by its structure too.
    """

    reads: str
    modules: tuple[str, ...]
    run: Callable[[bytes, Path], None]
    max_bytes: int = 4096
    is_json: bool = False


def write_parts(content: bytes, folder: Path, names: tuple[str, ...]) -> None:
    """Write an input to files: its parts in the order of ``names``; files without a part are left out.

    Args:
        content: The input.
        folder: Where they go.
        names: Relative paths.
    """
    for name, part in zip(names, content.split(SEPARATOR), strict=False):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part)
