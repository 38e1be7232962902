"""Patterns of paths: their fixed part, and whether a path matches."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath


def split_pattern(text: str) -> tuple[PurePosixPath, tuple[str, ...]]:
    """The folder before the first wildcard, and the components from there on."""
    parts = PurePosixPath(text).parts
    fixed = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return PurePosixPath(*parts[:fixed]), parts[fixed:]


def matches(names: Sequence[str], patterns: Sequence[str]) -> bool:
    """Whether a path's components match a pattern's; ``**`` stands for any number of them, at the end for some."""
    wanted = [p for p, before in zip(patterns, (None, *patterns), strict=False) if not p == before == "**"]
    if wanted[-1:] == ["**"]:
        wanted.append("*")
    # Places in the pattern that the path may have come to, all at once: each way by itself, and ``**`` doubles them.
    places = _pass_stars({0}, wanted)
    for name in names:
        kept = {place for place in places if place < len(wanted) and wanted[place] == "**"}
        moved = {place + 1 for place in places - kept if place < len(wanted) and fnmatchcase(name, wanted[place])}
        places = _pass_stars(kept | moved, wanted)
    return len(wanted) in places


def _pass_stars(places: set[int], wanted: Sequence[str]) -> set[int]:
    return places | {place + 1 for place in places if place < len(wanted) and wanted[place] == "**"}
