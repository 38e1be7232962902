"""One file to disk: resumed where it broke off, verified, and there under its name only when whole."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from detectattn.errors import ConnectionFailed, DiskFull, FetchError, FetchTimedOut, FetchTooLarge
from detectattn.fetch.addresses import redact_url
from detectattn.fetch.body import announced_length, content_encoding, iter_chunks
from detectattn.fetch.connection import Answer, open_response
from detectattn.fetch.limits import FetchLimits, format_bytes
from detectattn.fetch.partial import PartialFile
from detectattn.fetch.place import FetchedFile, compute_sha256, place_file
from detectattn.fetch.translate import timed_out

OnProgress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes there will be, None where the server does not tell."""


@dataclass(frozen=True, slots=True)
class _Order:
    url: str
    limits: FetchLimits
    partial: PartialFile
    resumable_unseen: bool
    on_progress: OnProgress | None


def fetch_file(
    url: str,
    target: Path,
    limits: FetchLimits,
    *,
    resume: bool = True,
    expected_sha256: str | None = None,
    on_progress: OnProgress | None = None,
    check: Callable[[Path], None] | None = None,
    offline: bool = False,
) -> FetchedFile:
    """Download a file. It appears under its name complete, verified and flushed to the disk, or not at all.

    What has arrived lies in ``NAME.part`` meanwhile; a later call goes on from there when the server still has the
    same file (``If-Range``), or when a checksum will tell. Several processes may ask for one target at once: one
    downloads, the others wait and take its file.

    Args:
        url: An http or https address.
        target: Where the file goes. A file that is there already is verified and taken, never overwritten.
        limits: Bytes and seconds it may take, over all retries.
        resume: Go on from ``NAME.part``.
        expected_sha256: Refuse other bytes than these.
        on_progress: Told how far it is.
        check: Looks at the complete file before it gets its name; raises to refuse it, and the file is discarded.
        offline: Refuse before anything is sent.

    Raises:
        FetchError: It cannot be fetched; what arrived is kept for the next call.
        ChecksumMismatch: Its bytes are others than expected; they are discarded.
        DiskFull: No space, or no permission.
    """

    def transfer(partial: PartialFile) -> FetchedFile:
        if not resume:
            partial.discard()
        order = _Order(url, limits, partial, expected_sha256 is not None, on_progress)
        fetched, resumed = _transfer_with_retries(order, offline)
        if resumed and expected_sha256 not in (None, fetched.sha256):
            # The first half may be of an older file: once more, from the start.
            partial.discard()
            fetched, _ = _transfer_with_retries(order, offline)
        return fetched

    return place_file(target, url, limits, transfer, expected_sha256=expected_sha256, check=check)


def _transfer_with_retries(order: _Order, offline: bool) -> tuple[FetchedFile, bool]:
    """The complete partial file, and whether any of it is from before this transfer."""
    deadline = time.monotonic() + order.limits.total_s
    attempts = order.limits.retries
    wait_s = order.limits.retry_wait_s
    before = order.partial.size_bytes
    while True:
        remaining_s = deadline - time.monotonic()
        if remaining_s <= 0:
            raise timed_out(order.url, order.limits)
        try:
            return _transfer(replace(order, limits=replace(order.limits, total_s=remaining_s)), offline)
        except (ConnectionFailed, FetchTimedOut) as error:
            arrived = order.partial.size_bytes
            attempts -= 1
            if arrived <= before or attempts < 0 or time.monotonic() + wait_s >= deadline:
                raise _with_resume_hint(error, arrived) from error
        time.sleep(wait_s)
        wait_s *= 2


def _with_resume_hint(error: FetchError, arrived: int) -> FetchError:
    if arrived == 0:
        return error
    return type(error)(error.problem, hint=f"Run the command again: it goes on from {format_bytes(arrived)}")


def _transfer(order: _Order, offline: bool) -> tuple[FetchedFile, bool]:
    offset, headers = order.partial.plan_resume(order.url, always=order.resumable_unseen)
    with open_response(
        order.url,
        order.limits,
        offline=offline,
        headers=headers,
        also_accept=frozenset({416}) if offset else frozenset(),
    ) as answer:
        fetched = _take_answer(order, answer, offset)
    if fetched is None:
        if offset == 0:
            raise ConnectionFailed(
                f"{redact_url(order.url)} answers with a part that was not asked for", hint="Try again"
            )
        order.partial.discard()
        return _transfer(order, offline)
    return fetched


def _take_answer(order: _Order, answer: Answer, offset: int) -> tuple[FetchedFile, bool] | None:
    """The complete partial file and whether it was resumed; None when the answer does not fit what has arrived."""
    status, path = answer.response.status_code, order.partial.path
    if status == 416:
        whole = answer.response.headers.get("content-range", "").lower() == f"bytes */{offset}"
        return (FetchedFile(path, compute_sha256(path), offset), True) if whole else None
    if status == 206 and not _continues(answer, order.partial, offset):
        return None
    start = offset if status == 206 else 0
    _check_room(order, answer, start)
    sha256, size = _write_body(order, answer, start)
    return FetchedFile(path, sha256, size), start > 0


def _continues(answer: Answer, partial: PartialFile, offset: int) -> bool:
    answered = answer.response.headers
    return (
        answered.get("content-range", "").lower().startswith(f"bytes {offset}-")
        and content_encoding(answer) == "identity"
        and partial.matches(answered)
    )


def _check_room(order: _Order, answer: Answer, offset: int) -> None:
    length = announced_length(answer)
    if length is None:
        return
    if offset + length > order.limits.max_bytes:
        raise FetchTooLarge(
            f"{redact_url(order.url)} has {format_bytes(offset + length)}, "
            f"more than the limit of {format_bytes(order.limits.max_bytes)}",
            hint="Download it by other means and give the local file",
        )
    free = shutil.disk_usage(order.partial.path.parent).free
    if length > free:
        raise DiskFull(
            f"{redact_url(order.url)} needs {format_bytes(length)} and {order.partial.path.parent} has "
            f"{format_bytes(free)} left",
            hint="Free some space there",
        )


def _write_body(order: _Order, answer: Answer, offset: int) -> tuple[str, int]:
    """Append the body to the partial file; its SHA-256 and size when complete."""
    length = announced_length(answer)
    total = None if length is None else offset + length
    limits = replace(order.limits, max_bytes=max(1, order.limits.max_bytes - offset))
    with order.partial.open_for_append(order.url, answer.response.headers, offset) as (stream, digest):
        done = offset
        for chunk in iter_chunks(answer, order.url, limits):
            stream.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if order.on_progress is not None:
                order.on_progress(done, total)
    return digest.hexdigest(), done
