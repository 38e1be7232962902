"""Several sources one after the other: each medium once, each with an output path of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detectattn.errors import EmptySource
from detectattn.sources.base import ReadCounts, Source
from detectattn.sources.folder import FolderSource, to_empty
from detectattn.sources.naming import OutputNames
from detectattn.sources.remote import ObjectFolder
from detectattn.sources.web_folder import WebFolder
from detectattn.types import FrameFailure, Media


@dataclass(frozen=True, slots=True)
class SourceChain:
    """Sources in the order they were given.

    Attributes:
        parts: The sources.
    """

    parts: Sequence[Source]

    def iter_media(self, counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        """Yield the media of each; an empty folder is a failure in its place."""
        return chain_media(self.parts, counts)

    def count(self) -> int | None:
        """The sum, or None when that of one cannot be known. What is named twice counts twice."""
        return count_media(self.parts)


def count_media(parts: Iterable[Source | FrameFailure]) -> int | None:
    """How many media sources hold together, or None where that of one cannot be known."""
    total = 0
    for part in parts:
        number = 0 if isinstance(part, FrameFailure) else part.count()
        if number is None:
            return None
        total += number
    return total


def chain_media(parts: Iterable[Source | FrameFailure], counts: ReadCounts) -> Iterator[Media | FrameFailure]:
    """Yield the media of sources: each once, however often it is named, with output paths that are unique together.

    Args:
        parts: Sources, opened as they are reached, or failures to do so.
        counts: Filled in as the sources are walked.
    """
    outputs, seen = OutputNames(), set[int]()
    for part in parts:
        if isinstance(part, FrameFailure):
            yield part
        elif isinstance(part, FolderSource | WebFolder) or (isinstance(part, ObjectFolder) and not part.patterns):
            claimed = part.under(outputs.claim_folder(part.output_root.name))
            yield from _iter_folder(claimed, counts, seen)
        else:
            for media in part.iter_media(counts):
                if isinstance(media, FrameFailure):
                    yield media
                elif _is_first(media, seen):
                    yield replace(media, output=outputs.claim(media.output))


def _iter_folder(
    folder: FolderSource | ObjectFolder | WebFolder, counts: ReadCounts, seen: set[int]
) -> Iterator[Media | FrameFailure]:
    own_counts, is_empty = ReadCounts(), True
    for media in folder.iter_media(own_counts):
        is_empty = False
        if isinstance(media, FrameFailure) or _is_first(media, seen):
            yield media
    for suffix, number in own_counts.skipped.items():
        counts.skipped[suffix] = counts.skipped.get(suffix, 0) + number
    if is_empty:
        text = folder.record_prefix.rstrip("/") or "/"
        yield FrameFailure(text, None, EmptySource.code, str(to_empty(text, own_counts)))


def _is_first(media: Media, seen: set[int]) -> bool:
    """Whether a medium was not seen yet. Hashes stand for paths: a million of them need 60 MB, not 200."""
    location = media.location
    key = hash(str(location.absolute()) if isinstance(location, Path) else location)
    is_first = key not in seen
    seen.add(key)
    return is_first
