"""One object to a file of this machine: verified, and there under its name only when whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from detectattn.fetch import FetchedFile, FetchLimits, OnProgress, PartialFile, place_file
from detectattn.storage.addresses import parse_address
from detectattn.storage.read import copy_object


def fetch_object(
    url: str,
    target: Path,
    limits: FetchLimits,
    *,
    expected_sha256: str | None = None,
    on_progress: OnProgress | None = None,
    check: Callable[[Path], None] | None = None,
    offline: bool = False,
) -> FetchedFile:
    """Download an object, as :func:`detectattn.fetch.fetch_file` does what is behind an http address.

    Args:
        url: Its address.
        target: Where the file goes. A file that is there already is verified and taken, never overwritten.
        limits: Bytes and seconds it may take.
        expected_sha256: Refuse other bytes than these.
        on_progress: Told how far it is.
        check: Looks at the complete file before it gets its name; raises to refuse it, and the file is discarded.
        offline: Refuse before anything is sent.

    Raises:
        FetchError: It cannot be fetched.
        ChecksumMismatch: Its bytes are others than expected; they are discarded.
        DiskFull: No space, or no permission.
    """
    address = parse_address(url)

    def transfer(partial: PartialFile) -> FetchedFile:
        partial.discard()
        digest = hashlib.sha256()
        try:
            with partial.path.open("wb") as stream:
                copy_object(address, stream, limits, offline=offline, on_progress=on_progress, on_piece=digest.update)
                stream.flush()
                os.fsync(stream.fileno())
                size = stream.tell()
        except BaseException:
            partial.discard()
            raise
        return FetchedFile(partial.path, digest.hexdigest(), size)

    return place_file(target, url, limits, transfer, expected_sha256=expected_sha256, check=check)
