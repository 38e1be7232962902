"""Requests to a store: each one tried again where the fault may pass, and its errors this project's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from detectattn.errors import ConnectionFailed, DetectattnError, FetchTimedOut, HttpStatus
from detectattn.storage.addresses import StorageAddress
from detectattn.storage.base import StoredObject
from detectattn.storage.connect import connect
from detectattn.storage.translate import find_code, translate_error

WAITS_S = (0.5, 2.0)
"""Before each further try at S3, each of which is several of the library's own for what comes and goes quickly.

Google's and Azure's libraries have tried for half a minute and more by then, and are not asked again.
"""

_PASSING = (ConnectionFailed, FetchTimedOut, HttpStatus)
_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_NO_CONDITION = frozenset({"NotImplemented", "501"})
_NO_MODE = frozenset({"TypeError", "ParamValidationError"})
_T = TypeVar("_T")


def ask(address: StorageAddress, request: Callable[[Any], _T], *, offline: bool = False) -> _T:
    """Make one request, again where the fault may pass.

    Args:
        address: What it is about, for messages.
        request: Asks the fsspec file system, and may do so several times.
        offline: Refuse before anything is sent.

    Raises:
        FetchError: It failed, or failed each time.
        MissingExtra: The package for the scheme is not installed.
    """
    waits = iter(WAITS_S if address.scheme in {"s3", "s3a"} else ())
    while True:
        try:
            return request(connect(address, offline=offline))
        except DetectattnError:
            raise
        except Exception as error:
            # Libraries of several makers meet here, and what they raise has no common base.
            translated = translate_error(error, address)
            wait_s = next(waits, None) if isinstance(translated, _PASSING) else None
            if wait_s is None:
                raise translated from error
        time.sleep(wait_s)


def look_at(address: StorageAddress, *, offline: bool = False) -> StoredObject | None:
    """The object at exactly this address; None where there is none, a folder included.

    Raises:
        FetchError: Nobody can tell.
    """

    def request(system: Any) -> StoredObject | None:
        try:
            found = system.info(address.path)
        except FileNotFoundError as error:
            if find_code(error) in {"NoSuchBucket", "ContainerNotFound"}:
                raise
            return None
        return None if found.get("type") == "directory" else to_object(found, address.key)

    return None if not address.key or address.key.endswith("/") else ask(address, request, offline=offline)


def read_range(address: StorageAddress, start: int, end: int, *, offline: bool = False) -> bytes:
    """The bytes of an object from ``start`` to before ``end``; fewer where it ends before.

    Raises:
        FetchError: It cannot be read.
    """

    def request(system: Any) -> bytes:
        try:
            return bytes(system.cat_file(address.path, start=start, end=end))
        except Exception as error:
            if find_code(error) in {"InvalidRange", "416"}:
                return b""  # It ends before the range begins; an empty object has no first byte either.
            raise

    return ask(address, request, offline=offline)


def create_object(system: Any, path: str, content: bytes) -> bool:
    """Write an object where there is none; whether it was. To be made by :func:`ask`.

    Args:
        system: fsspec's file system.
        path: Bucket and key.
        content: The bytes.
    """
    try:
        system.pipe_file(path, content, mode="create")
    except FileExistsError:
        return False
    except Exception as error:
        code = find_code(error)
        if code in _TAKEN:
            return False
        if code not in _NO_CONDITION and type(error).__name__ not in _NO_MODE:
            raise
        system.pipe_file(path, content)  # the store, or a library of former years, knows no such condition
    return True


def to_object(found: dict[str, Any], name: str) -> StoredObject:
    """What fsspec tells of an object, under a name that the caller gives it."""
    size = found.get("size")
    marks = (
        found.get(key) for key in ("ETag", "etag", "generation", "LastModified", "last_modified", "mtime", "created")
    )
    mark = next((str(value) for value in marks if value), "")
    return StoredObject(name, int(size) if isinstance(size, int) else None, mark)
