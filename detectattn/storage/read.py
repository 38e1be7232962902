"""Reading objects: the first bytes, or a whole object to a file, in pieces."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import BinaryIO

from detectattn.errors import ConnectionFailed, FetchTimedOut, FetchTooLarge, ObjectNotFound
from detectattn.fetch import FetchLimits, OnProgress, format_bytes, redact_url
from detectattn.storage.addresses import StorageAddress
from detectattn.storage.base import StoredObject
from detectattn.storage.requests import look_at, read_range

PIECE_BYTES = 16_000_000


def copy_object(
    address: StorageAddress,
    target: BinaryIO,
    limits: FetchLimits,
    *,
    offline: bool = False,
    on_progress: OnProgress | None = None,
    on_piece: Callable[[bytes], object] | None = None,
) -> StoredObject:
    """Copy an object into an open file, piece by piece, each tried again by itself where its transfer fails.

    Args:
        address: The object.
        target: Where its bytes go.
        limits: ``max_bytes`` and ``total_s`` apply.
        offline: Refuse before anything is sent.
        on_progress: Told how many bytes are there, and how many there will be.
        on_piece: Given each piece.

    Returns:
        What the store told of it.

    Raises:
        ObjectNotFound: There is no such object.
        FetchTooLarge, FetchTimedOut: A limit is broken.
        ConnectionFailed: It was replaced meanwhile.
        FetchError: It cannot be read.
    """
    deadline = time.monotonic() + limits.total_s
    found = look_at(address, offline=offline)
    if found is None:
        raise ObjectNotFound(
            f"{redact_url(address.url)} does not exist", hint="Check the address; upper and lower case differ"
        )
    if found.size_bytes is not None and found.size_bytes > limits.max_bytes:
        raise _too_large(address, limits.max_bytes, f"it has {format_bytes(found.size_bytes)}")
    done = 0
    while piece := read_range(address, done, done + PIECE_BYTES, offline=offline):
        done += len(piece)
        if done > limits.max_bytes:
            raise _too_large(address, limits.max_bytes, "more arrived")
        target.write(piece)
        if on_piece is not None:
            on_piece(piece)
        if on_progress is not None:
            on_progress(done, found.size_bytes)
        if len(piece) < PIECE_BYTES or done == found.size_bytes:
            break
        if time.monotonic() > deadline:
            raise FetchTimedOut(
                f"{redact_url(address.url)} was not complete after {limits.total_s:g} s",
                hint="Try again on a faster connection, or give a local copy",
            )
    _check_unchanged(address, found, done, offline)
    return found


def _check_unchanged(address: StorageAddress, before: StoredObject, size_bytes: int, offline: bool) -> None:
    if size_bytes <= PIECE_BYTES and before.size_bytes == size_bytes:
        return  # One request, one version.
    if look_at(address, offline=offline) != before or before.size_bytes not in (None, size_bytes):
        raise ConnectionFailed(f"{redact_url(address.url)} was replaced while it was read", hint="Try again")


def _too_large(address: StorageAddress, max_bytes: int, reason: str) -> FetchTooLarge:
    return FetchTooLarge(
        f"{redact_url(address.url)} is larger than the limit of {format_bytes(max_bytes)} ({reason})",
        hint="Download it by other means and give the local file",
    )
