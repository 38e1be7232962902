"""A pattern such as ``street/**/*.jpg``: what it matches, in natural order."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from detectattn.errors import SourceNotFound
from detectattn.sources.base import ReadCounts, Source
from detectattn.sources.chain import chain_media
from detectattn.sources.folder import FolderSource, natural_key, to_broken_link, to_empty, walk_files
from detectattn.sources.naming import to_one_line, to_output_name, to_record_name
from detectattn.sources.pattern_match import matches, split_pattern
from detectattn.sources.recognise import SourceRequest, identify_file, is_special
from detectattn.sources.single import SingleSource, to_file_media
from detectattn.sources.suffixes import MEDIA_SUFFIXES
from detectattn.types import FrameFailure, Media
from detectattn.user_paths import expand_home


@dataclass(frozen=True, slots=True)
class PatternSource:
    """What a pattern matches: pictures and videos; folders are walked, other files skipped and counted.

    Media are named by the path that the pattern expands to; outputs mirror the tree below its fixed part.

    Attributes:
        text: The pattern, as given.
        folder: What a relative pattern starts from.
    """

    text: str
    folder: Path

    def iter_media(self, counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        """Yield the media; each directory is listed when it is reached if the pattern holds ``**``."""
        return chain_media(self._iter_parts(counts), counts)

    def count(self) -> int:
        """Expand the pattern and count."""
        return sum(part.count() or 0 for part in self._iter_parts(ReadCounts()) if not isinstance(part, FrameFailure))

    def _iter_parts(self, counts: ReadCounts) -> Iterator[Source | FrameFailure]:
        root_parts = len(split_pattern(self.text)[0].parts)
        for given in iter_matches(self.text, self.folder):
            path = self.folder / given
            names = PurePosixPath(given).parts[root_parts:] or (path.name,)
            output = PurePosixPath(*map(to_output_name, names))
            if path.is_dir():
                yield FolderSource(path, f"{to_record_name(given).rstrip('/')}/", PurePosixPath(output.name))
            elif path.suffix.lower() in MEDIA_SUFFIXES and is_special(path):
                yield to_broken_link(to_record_name(given))
            elif path.suffix.lower() in MEDIA_SUFFIXES or identify_file(path) is not None:
                yield SingleSource(to_file_media(path, to_record_name(given), output))
            else:
                counts.skip(path)


def open_pattern(request: SourceRequest) -> PatternSource:
    """A pattern with ``*``, ``?``, ``[…]`` and ``**``; hidden entries match only where it names the dot.

    Raises:
        SourceNotFound: It matches nothing.
        EmptySource: It matches neither pictures nor videos. Only for the one source of a run.
    """
    text = str(expand_home(request.text))
    source = PatternSource(text, request.folder)
    if next(iter_matches(text, request.folder), None) is None:
        problem = f"{to_one_line(request.text)} matches no file"
        raise SourceNotFound(problem, hint="Check the pattern; ** stands for any depth of folders")
    counts = ReadCounts()
    if request.alone and next(source.iter_media(counts), None) is None:
        raise to_empty(request.text, counts)
    return source


def iter_matches(text: str, folder: Path) -> Iterator[str]:
    """Yield the paths that a pattern expands to, relative to ``folder`` unless it is absolute.

    Patterns with ``**`` walk the tree as a folder source does, so links that form a loop end, and match files only.
    """
    root, rest = split_pattern(text)
    if "**" not in rest:
        found = glob.glob(text, root_dir=folder)  # noqa: PTH207 - Path.glob takes no absolute pattern
        yield from sorted(found, key=lambda path: [natural_key(part) for part in path.split("/")])
        return
    for file in walk_files(folder / root):
        if file.error is None and matches(file.relative.split("/"), rest):
            yield str(root / file.relative)
