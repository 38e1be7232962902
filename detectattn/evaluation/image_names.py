"""Which image of a ground truth file is which picture in records, by their names.

Files of ground truth call images by names of their own: ``val2017/000139.jpg`` where the record says ``000139.jpg``, or
``street/bus`` without suffix. Names are compared from their end, folder by folder, regardless of case and suffix.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from detectattn.errors import AmbiguousTruth
from detectattn.evaluation.truth import FrameKey
from detectattn.sources.suffixes import MEDIA_SUFFIXES

_Key = TypeVar("_Key")

# How our sinks mark the frames of a video and later pages.
_FRAME_MARK = re.compile(r"(.+)\.p(\d{4,18})")


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image as a file names it.

    Attributes:
        name: Its name, with ``/`` between folders, with or without a suffix.
        index: The frame of a video or page.
        path: Where it should lie, if that is known; its suffix means nothing.
    """

    name: str
    index: int = 0
    path: Path | None = None


def match_images(
    names: Sequence[ImageName], frames: Collection[FrameKey], roots: Sequence[Path] = ()
) -> dict[int, FrameKey]:
    """Find the picture in records for each name, where there is one.

    First by the whole path, where both are known. Then by the names' ends: the longest that one name and one picture
    alone have in common, down to the file name without suffix. An end that several share decides nothing; for what is
    left then, what is below the folder that all names or all pictures share has to be the same.

    Args:
        names: The images that a file speaks of.
        frames: Keys of the pictures in records.
        roots: What was given as sources. Records' names are relative to it if it is one folder.

    Returns:
        Key by position in ``names``; images that are not in the records are missing.

    Raises:
        AmbiguousTruth: Names are too short to tell pictures apart, or the other way round.
    """
    ends_of_names = {i: _to_parts(name.name, name.index) for i, name in enumerate(names)}
    ends_of_frames = {key: _to_parts(*key) for key in frames}
    matched = _match_paths(names, frames, roots)
    _match_ends(ends_of_names, ends_of_frames, matched)
    _match_below_common_folder(ends_of_names, ends_of_frames, matched)
    _refuse_ambiguous(names, ends_of_names, ends_of_frames, matched)
    return matched


@dataclass(frozen=True, slots=True)
class _Parts:
    """A name taken apart: folders and last component from the end, its suffix, the frame."""

    reversed: tuple[str, ...]
    suffix: str
    index: int

    def end(self, depth: int) -> tuple[Hashable, ...] | None:
        return (self.index, *self.reversed[:depth]) if depth <= len(self.reversed) else None


def _to_parts(name: str, index: int) -> _Parts:
    if "://" in name:
        with suppress(ValueError):  # one that only looks like an address
            url = urlsplit(name)
            name = f"{url.netloc}{unquote(url.path)}"
    parts = [
        p for p in unicodedata.normalize("NFC", name).replace("\\", "/").casefold().split("/") if p not in {"", "."}
    ]
    last = parts[-1] if parts else ""
    marked = _FRAME_MARK.fullmatch(_split_suffix(last)[0])
    if marked is not None and index == 0:
        last, index = marked[1], int(marked[2])
    stem, suffix = _split_suffix(last)
    return _Parts((stem, *reversed(parts[:-1])), suffix, index)


def _split_suffix(name: str) -> tuple[str, str]:
    """Stem and suffix; what is no picture's or video's suffix belongs to the stem (``frame.001``)."""
    suffix = PurePosixPath(name).suffix.lower()
    return (name[: -len(suffix)], suffix) if suffix in MEDIA_SUFFIXES else (name, "")


def _match_paths(
    names: Sequence[ImageName], frames: Collection[FrameKey], roots: Sequence[Path]
) -> dict[int, FrameKey]:
    by_path: dict[tuple[str, int], list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        if name.path is not None:
            parts = _to_parts(name.name, name.index)
            by_path[_to_path_key(name.path), parts.index].append(i)
    alone = roots[0] if len(roots) == 1 and roots[0].is_dir() else Path()
    claims: dict[int, list[FrameKey]] = defaultdict(list)
    for key in frames:
        if "://" not in key[0]:
            found = by_path.get((_to_path_key(alone / key[0]), key[1]), [])
            if len(found) == 1:
                claims[found[0]].append(key)
    # Of x.jpg and x.png the suffix tells, further down.
    return {i: keys[0] for i, keys in claims.items() if len(keys) == 1}


def _to_path_key(path: Path) -> str:
    stem = _split_suffix(path.name)[0]
    marked = _FRAME_MARK.fullmatch(stem)
    if marked is not None:
        stem = _split_suffix(marked[1])[0]
    return unicodedata.normalize("NFC", os.path.normpath(path.absolute().parent / stem))


def _match_ends(names: dict[int, _Parts], frames: dict[FrameKey, _Parts], matched: dict[int, FrameKey]) -> None:
    """Add to ``matched``, longest common ends first."""
    deepest = max((len(parts.reversed) for parts in frames.values()), default=0)
    taken = set(matched.values())
    for depth in range(deepest, 0, -1):
        for with_suffix in (True, False):
            of_names = _group(names, depth, with_suffix=with_suffix)
            of_frames = _group(frames, depth, with_suffix=with_suffix)
            for end, keys in of_frames.items():
                found = of_names.get(end, [])
                if len(keys) == 1 and len(found) == 1 and found[0] not in matched and keys[0] not in taken:
                    matched[found[0]] = keys[0]
                    taken.add(keys[0])


def _match_below_common_folder(
    names: dict[int, _Parts], frames: dict[FrameKey, _Parts], matched: dict[int, FrameKey]
) -> None:
    """Add to ``matched``: ``set/x.jpg`` and ``set/a/x.jpg`` for ``x.jpg`` and ``a/x.jpg``, whose ends are alike."""
    taken = set(matched.values())
    of_names, of_frames = _group_below_common_folder(names), _group_below_common_folder(frames)
    for path, keys in of_frames.items():
        found = of_names.get(path, [])
        if len(keys) == 1 and len(found) == 1 and found[0] not in matched and keys[0] not in taken:
            matched[found[0]] = keys[0]


def _group_below_common_folder(parts_by_key: Mapping[_Key, _Parts]) -> dict[tuple[Hashable, ...], list[_Key]]:
    folders = [parts.reversed[:0:-1] for parts in parts_by_key.values()]
    whole = min(map(len, folders), default=0)
    shared = next((i for i, level in enumerate(zip(*folders, strict=False)) if len(set(level)) > 1), whole)
    groups: dict[tuple[Hashable, ...], list[_Key]] = defaultdict(list)
    for key, parts in parts_by_key.items():
        groups[(parts.index, *parts.reversed[: len(parts.reversed) - shared])].append(key)
    return groups


def _group(
    parts_by_key: Mapping[_Key, _Parts], depth: int, *, with_suffix: bool
) -> dict[tuple[Hashable, ...], list[_Key]]:
    groups: dict[tuple[Hashable, ...], list[_Key]] = defaultdict(list)
    for key, parts in parts_by_key.items():
        end = parts.end(depth)
        if end is not None:
            groups[(*end, parts.suffix) if with_suffix else end].append(key)
    return groups


def _refuse_ambiguous(
    names: Sequence[ImageName],
    of_names: dict[int, _Parts],
    of_frames: dict[FrameKey, _Parts],
    matched: dict[int, FrameKey],
) -> None:
    taken = set(matched.values())
    left_names = _group({i: p for i, p in of_names.items() if i not in matched}, 1, with_suffix=False)
    left_frames = _group({k: p for k, p in of_frames.items() if k not in taken}, 1, with_suffix=False)
    for end, keys in left_frames.items():
        found = left_names.get(end, [])
        if found and len(keys) + len(found) > 2:
            pictures = " and ".join(source for source, _ in keys[:2])
            images = " and ".join(names[i].name for i in found[:2])
            raise AmbiguousTruth(
                f"file names do not tell which image is which: {pictures} could be {images}",
                hint="Give the folder that the ground truth's names start from, or make the file names unique",
            )


def name_examples(names: Iterator[str], limit: int = 3) -> str:
    """The first few of some names, for a message."""
    shown = [name for name, _ in zip(names, range(limit + 1), strict=False)]
    return ", ".join(shown[:limit]) + (", …" if len(shown) > limit else "")
