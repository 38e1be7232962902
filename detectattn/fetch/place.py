"""A file that comes from elsewhere gets its name: by one process at a time, whole and verified, or not at all."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from detectattn.errors import ChecksumMismatch, DetectattnError, DiskFull, FetchTimedOut, WriteFailed
from detectattn.fetch.addresses import redact_url
from detectattn.fetch.limits import FetchLimits
from detectattn.fetch.partial import PartialFile

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file that was downloaded.

    Attributes:
        path: Where it is.
        sha256: Of its bytes.
        size_bytes: Its size.
    """

    path: Path
    sha256: str
    size_bytes: int


def place_file(
    target: Path,
    url: str,
    limits: FetchLimits,
    transfer: Callable[[PartialFile], FetchedFile],
    *,
    expected_sha256: str | None = None,
    check: Callable[[Path], None] | None = None,
) -> FetchedFile:
    """Bring a file to its place, whichever way its bytes come. Of several processes one does, the others take its file.

    Args:
        target: Where the file goes. One that is there already is verified and taken, never overwritten.
        url: Where it is from, for messages.
        limits: ``total_s`` is how long another process is waited for.
        transfer: Fills the unfinished file and tells what it holds.
        expected_sha256: Refuse other bytes than these.
        check: Looks at the complete file before it gets its name; raises to refuse it, and the file is discarded.

    Raises:
        ChecksumMismatch: Its bytes are others than expected; they are discarded.
        FetchTimedOut: Another process takes too long.
        DiskFull: No space, or no permission.
    """
    with _translate_os_errors(target), _hold_lock(target, url, limits):
        if target.exists():
            return _take_existing(target, expected_sha256)
        partial = PartialFile(target)
        fetched = transfer(partial)
        try:
            if check is not None:
                check(partial.path)
            _check_sha256(fetched.sha256, expected_sha256, redact_url(url))
        except DetectattnError:
            partial.discard()
            raise
        partial.complete()
        return replace(fetched, path=target)


def compute_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _take_existing(target: Path, expected_sha256: str | None) -> FetchedFile:
    sha256 = compute_sha256(target)
    _check_sha256(sha256, expected_sha256, str(target))
    return FetchedFile(target, sha256, target.stat().st_size)


def _check_sha256(sha256: str, expected_sha256: str | None, shown: str) -> None:
    if expected_sha256 not in (None, sha256):
        raise ChecksumMismatch(
            f"{shown} has the SHA-256 {sha256} where {expected_sha256} is expected",
            hint="Do not use it: it is damaged or not the file that was published; delete it and download it again",
        )


@contextmanager
def _hold_lock(target: Path, url: str, limits: FetchLimits) -> Iterator[None]:
    from filelock import FileLock, Timeout

    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(target.with_name(f".{target.name}.lock"), timeout=limits.total_s)
    try:
        lock.acquire()
    except Timeout as error:
        raise FetchTimedOut(
            f"Another process has been downloading {redact_url(url)} for more than {limits.total_s:g} s",
            hint="Wait for it or end it, then try again",
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _translate_os_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = DiskFull if error.errno in _NO_ROOM else WriteFailed
        raise kind(
            f"{target} cannot be written ({error.strerror or error})",
            hint="Free some space, or check the permissions of that folder",
        ) from error
