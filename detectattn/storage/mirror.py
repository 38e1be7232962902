"""A copy of the small files below an address, brought up to date by what the store tells of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detectattn.errors import DetectattnError, DiskFull, FetchTimedOut, FetchTooLarge, WriteFailed
from detectattn.fetch import format_bytes, redact_url
from detectattn.storage.addresses import StorageAddress
from detectattn.storage.base import StoredObject, check_name
from detectattn.storage.local import LocalStore
from detectattn.storage.requests import ask
from detectattn.storage.translate import translate_error

MAX_BYTES = 2_000_000_000
"""An object larger than this is refused."""

_MARKS = ".marks.json"
_BATCH = 64
_BATCH_BYTES = 64_000_000
_LOCK_S = 3600.0


@dataclass(slots=True)
class Mirror:
    """A folder of this machine that holds copies of objects; what has not changed meanwhile is not read again.

    Attributes:
        folder: Where the copies lie, under the objects' names.
    """

    folder: Path
    _store: LocalStore = field(init=False)

    def __post_init__(self) -> None:
        self._store = LocalStore(self.folder)

    @property
    def is_complete(self) -> bool:
        """Whether it was brought up to date once."""
        return (self.folder / _MARKS).is_file()

    def update(self, root: StorageAddress, contents: Iterable[StoredObject], names: Iterable[str] = ()) -> None:
        """Make the copies those of the objects, and delete what is no longer among them. One process at a time.

        Args:
            root: What the names are below.
            contents: The objects to copy. Such as have a name that no file could have are left out.
            names: Objects whose names matter and whose content does not: an empty file stands for each.

        Raises:
            FetchTooLarge: One of them is larger than :data:`MAX_BYTES`.
            FetchError: One of them cannot be read.
            OutputError: They cannot be written.
        """
        with self._locked(root):
            before, now = self._load_marks(), dict[str, str]()
            changed = (found for found in _iter_usable(contents) if self._is_changed(found, before, now))
            for batch in _iter_batches(root, changed):
                for name, content in _read_batch(root, batch).items():
                    self._store.put(name, content)
            for name in names:
                if _is_usable(name) and name not in now:
                    now[name] = ""
                    if before.get(name) != "":
                        self._store.put(name, b"")
            for name in before.keys() - now.keys():
                self._store.delete(name)
            self._store.put(_MARKS, json.dumps(now).encode())

    def _is_changed(self, found: StoredObject, before: Mapping[str, str], now: dict[str, str]) -> bool:
        now[found.name] = f"{found.mark} {found.size_bytes}"
        return not found.mark or before.get(found.name) != now[found.name] or not self._store.exists(found.name)

    def _load_marks(self) -> dict[str, str]:
        try:
            marks = json.loads((self.folder / _MARKS).read_bytes())
        except (OSError, ValueError):
            return {}
        return marks if isinstance(marks, dict) else {}

    @contextmanager
    def _locked(self, root: StorageAddress) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder.with_name(f".{self.folder.name}.lock"), timeout=_LOCK_S):
                yield
        except Timeout as error:
            problem = f"Another process has been copying {redact_url(root.url)} for more than {_LOCK_S:g} s"
            raise FetchTimedOut(problem, hint="Wait for it or end it, then try again") from error
        except PermissionError as error:
            hint = "Check its permissions, or point DETECTATTN_CACHE at another folder"
            raise DiskFull(f"{self.folder} cannot be written ({error.strerror})", hint=hint) from error
        except OSError as error:
            hint = "Free some space there, or point DETECTATTN_CACHE at another folder"
            raise WriteFailed(f"{self.folder} cannot be written ({error.strerror or error})", hint=hint) from error


def _iter_usable(objects: Iterable[StoredObject]) -> Iterator[StoredObject]:
    return (found for found in objects if _is_usable(found.name))


def _is_usable(name: str) -> bool:
    try:
        check_name(name)
    except ValueError:
        return False
    return "\0" not in name and "\\" not in name and name != _MARKS


def _iter_batches(root: StorageAddress, objects: Iterable[StoredObject]) -> Iterator[list[StoredObject]]:
    """A few objects each, that are not too much for the memory together."""
    batch, size = list[StoredObject](), 0
    for found in objects:
        own = found.size_bytes or 0
        if own > MAX_BYTES:
            raise FetchTooLarge(
                f"{redact_url(root.join(found.name).url)} has {format_bytes(own)}, more than the limit of "
                f"{format_bytes(MAX_BYTES)}",
                hint="Give a local copy",
            )
        if batch and (len(batch) >= _BATCH or size + own > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(found)
        size += own
    if batch:
        yield batch


def _read_batch(root: StorageAddress, batch: list[StoredObject]) -> dict[str, bytes]:
    """The contents of objects, asked for at once where the library can."""
    paths = {root.join(found.name).path: found.name for found in batch}

    def request(system: Any) -> dict[str, bytes]:
        read = system.cat(list(paths), on_error="return")
        if not isinstance(read, dict):
            read = {next(iter(paths)): read}
        for path, content in read.items():
            if isinstance(content, DetectattnError):
                raise content
            if isinstance(content, Exception):
                name = paths.get(path) or next(iter(paths.values()))
                raise translate_error(content, root.join(name)) from content
        return {paths[path]: bytes(content) for path, content in read.items()}

    return ask(root, request)
