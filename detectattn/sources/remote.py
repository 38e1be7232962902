"""Pictures and videos in object storage: one object, a folder, or a pattern; listed as they are reached."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath

from detectattn.errors import AccessDenied, FetchError, ObjectNotFound, SourceNotFound
from detectattn.fetch import redact_url
from detectattn.sources.base import ReadCounts, Source
from detectattn.sources.folder import to_empty
from detectattn.sources.naming import to_one_line, to_output_name, to_record_name
from detectattn.sources.pattern_match import matches
from detectattn.sources.recognise import SourceRequest
from detectattn.sources.remote_names import OutputTree, RunFolders, is_hidden, judge_suffix
from detectattn.sources.single import SingleSource
from detectattn.sources.sniff import HEAD_BYTES, sniff_media
from detectattn.storage import StorageAddress, parse_address
from detectattn.types import FrameFailure, Media

_MOST_COUNTED = 10_000
_AT_TOP = PurePosixPath()


@dataclass(frozen=True, slots=True)
class ObjectFolder:
    """The media below a folder of object storage, ordered by their keys; hidden ones and run folders are left out.

    Attributes:
        folder: Its address; the key is empty or ends with a slash.
        patterns: What their names below the folder must match, component by component; empty to take all.
        record_prefix: What precedes a name in records: nothing, or the address.
        output_root: Where the tree is mirrored, relative to the run's outputs.
        offline: Refuse every request.
    """

    folder: StorageAddress
    patterns: tuple[str, ...] = ()
    record_prefix: str = ""
    output_root: PurePosixPath = _AT_TOP
    offline: bool = False

    def iter_media(self, counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        """Yield the media as they are listed; none of them has been read yet.

        Raises:
            FetchError: The store cannot be listed, or no further. Nobody can tell what would have come.
        """
        outputs = OutputTree()
        runs = RunFolders(self._is_run)
        for name in self.iter_names():
            parts = tuple(name.split("/"))
            if runs.hold(parts):
                continue
            if not self._is_media(name):
                counts.skip(Path(name))
                continue
            output = self.output_root / outputs.place(self._below_match(parts))
            yield Media(self.record_prefix + to_record_name(name), "url", self.folder.join(name).url, output)

    def count(self) -> int | None:
        """How many there are where these are a few thousand at most, by their names; None where they are more."""
        names = list(islice(self.iter_names(), _MOST_COUNTED + 1))
        return None if len(names) > _MOST_COUNTED else sum(judge_suffix(name) is not False for name in names)

    def under(self, output_root: PurePosixPath) -> ObjectFolder:
        """The same folder, mirrored elsewhere."""
        return replace(self, output_root=output_root)

    def iter_names(self) -> Iterator[str]:
        """Yield the names that are taken, whatever they are of."""
        from detectattn.storage.listing import iter_objects

        start = _literal_start(self.patterns[0]) if self.patterns else ""
        for found in iter_objects(self.folder, start, offline=self.offline):
            if self._takes(tuple(found.name.split("/"))):
                yield found.name

    def _takes(self, parts: tuple[str, ...]) -> bool:
        if not self.patterns or "**" in self.patterns:
            return not is_hidden(parts) and (not self.patterns or matches(parts, self.patterns))
        # A folder that the pattern matches is taken with all that is below it, as the shell would hand it over.
        head, below = parts[: len(self.patterns)], parts[len(self.patterns) :]
        hidden = is_hidden(below) or any(
            part.startswith(".") and not pattern.startswith(".")
            for part, pattern in zip(head, self.patterns, strict=False)
        )
        return not hidden and matches(head, self.patterns)

    def _below_match(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        if not self.patterns or "**" in self.patterns or len(parts) <= len(self.patterns):
            return parts
        return parts[len(self.patterns) - 1 :]

    def _is_media(self, name: str) -> bool:
        promised = judge_suffix(name)
        if promised is not None:
            return promised
        from detectattn.storage.requests import read_range

        try:
            head = read_range(self.folder.join(name), 0, HEAD_BYTES, offline=self.offline)
        except FetchError as error:
            # As a local file that cannot be read and promises nothing; where the fault may pass, reading will tell.
            return not isinstance(error, AccessDenied | ObjectNotFound)
        return sniff_media(head) is not None

    def _is_run(self, name: str) -> bool:
        from detectattn.storage.listing import iter_objects
        from detectattn.storage.requests import look_at

        folder = self.folder.join(name)
        if look_at(folder.join("run.json"), offline=self.offline) is None:
            return False
        return next(iter_objects(folder, "predictions", offline=self.offline), None) is not None


def open_objects(request: SourceRequest) -> Source:
    """An object, a folder of objects with all below it, or a pattern of their names.

    What ends with a slash is a folder. Anything else is the object of that name where there is one.

    Raises:
        SourceNotFound: There is no such object or folder, or nothing matches the pattern.
        EmptySource: There are neither pictures nor videos. Only for the one source of a run.
        FetchError: The store cannot be asked.
    """
    address = parse_address(request.text)
    if not address.key or address.key.endswith("/"):
        return _open_folder(request, address)
    is_pattern = glob.has_magic(address.key)
    # In a list, what is called like a picture is believed to be there, and reported when it is read and is not.
    is_believed = not request.alone and not is_pattern and judge_suffix(address.key)
    if is_believed or _is_object(address, request.options.offline):
        return _open_object(request, address)
    if is_pattern:
        return _open_pattern(request, address)
    return _open_folder(request, StorageAddress(address.scheme, address.bucket, f"{address.key}/"))


def _is_object(address: StorageAddress, offline: bool) -> bool:
    from detectattn.storage.requests import look_at

    return look_at(address, offline=offline) is not None


def _open_object(request: SourceRequest, address: StorageAddress) -> SingleSource:
    output = PurePosixPath(to_output_name(address.key.rpartition("/")[2]))
    return SingleSource(Media(_shown(request.text), "url", address.url, output))


def _open_folder(request: SourceRequest, folder: StorageAddress) -> ObjectFolder:
    offline, url = request.options.offline, _shown(folder.url)
    source = ObjectFolder(folder, offline=offline)
    if next(source.iter_names(), None) is None:
        problem = f"{to_one_line(_shown(request.text))} is neither an object nor a folder with objects below it"
        raise SourceNotFound(problem, hint="Check the address; upper and lower case differ")
    if not request.alone:
        name = to_output_name(folder.key.rstrip("/").rpartition("/")[2] or folder.bucket or "root")
        prefix = url if url.endswith("/") else f"{url}/"
        return ObjectFolder(folder, (), prefix, PurePosixPath(name), offline)
    counts = ReadCounts()
    if next(source.iter_media(counts), None) is None:
        raise to_empty(_shown(request.text), counts)
    return source


def _open_pattern(request: SourceRequest, address: StorageAddress) -> ObjectFolder:
    parts = address.key.split("/")
    fixed = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    key = "".join(f"{part}/" for part in parts[:fixed])
    folder = StorageAddress(address.scheme, address.bucket, key)
    source = ObjectFolder(folder, tuple(parts[fixed:]), _shown(folder.url), offline=request.options.offline)
    if next(source.iter_names(), None) is None:
        problem = f"{to_one_line(_shown(request.text))} matches no object"
        raise SourceNotFound(problem, hint="Check the pattern; ** stands for any depth of folders")
    counts = ReadCounts()
    if request.alone and next(source.iter_media(counts), None) is None:
        raise to_empty(_shown(request.text), counts)
    return source


def _shown(url: str) -> str:
    return to_record_name(redact_url(url))


def _literal_start(pattern: str) -> str:
    """What every name that a pattern matches begins with."""
    return "" if pattern == "**" else re.split(r"[*?\[]", pattern, maxsplit=1)[0]
