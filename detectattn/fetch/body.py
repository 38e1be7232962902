"""The body of an answer, counted as it arrives: as chunks, or whole in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from detectattn.errors import ConnectionFailed, FetchTooLarge
from detectattn.fetch.addresses import redact_url
from detectattn.fetch.connection import Answer, open_response
from detectattn.fetch.limits import FetchLimits, format_bytes
from detectattn.fetch.translate import timed_out

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FetchedBody:
    """What a server sent, whole.

    Attributes:
        content: The bytes, decompressed.
        content_type: The media type it claims, in lower case without parameters; empty where it claims none.
        final_url: The address after redirects, unredacted.
    """

    content: bytes = field(repr=False)
    content_type: str
    final_url: str


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """What a server sends, as it arrives.

    Attributes:
        chunks: The bytes, decompressed; reading on may raise any FetchError.
        content_type: As in :class:`FetchedBody`.
        final_url: As in :class:`FetchedBody`.
        length: How many bytes were announced, or None.
        is_redirected: Whether ``final_url`` is another address than the first.
    """

    chunks: Iterator[bytes]
    content_type: str
    final_url: str
    length: int | None
    is_redirected: bool = False


@contextmanager
def open_body(url: str, limits: FetchLimits, *, offline: bool = False) -> Iterator[OpenedBody]:
    """Open an http or https address and read its body piece by piece.

    Raises:
        FetchError: It cannot be reached, answers with an error, or breaks a limit.
    """
    with open_response(url, limits, offline=offline) as answer:
        chunks = iter_chunks(answer, url, limits)
        length = announced_length(answer)
        yield OpenedBody(chunks, answer.content_type, answer.final_url, length, answer.is_redirected)


def fetch_bytes(url: str, limits: FetchLimits, *, offline: bool = False) -> FetchedBody:
    """Fetch an http or https address into memory.

    Args:
        url: The address; it may be a private one.
        limits: Bytes and seconds it may take.
        offline: Refuse before anything is sent.

    Raises:
        FetchError: It cannot be reached, answers with an error, or breaks a limit.
    """
    with open_body(url, limits, offline=offline) as body:
        return FetchedBody(b"".join(body.chunks), body.content_type, body.final_url)


def announced_length(answer: Answer) -> int | None:
    """The body's length as the server announces it; None where it does not, or where it is compressed."""
    text = answer.response.headers.get("content-length", "")
    return int(text) if text.isdecimal() and content_encoding(answer) == "identity" else None


def content_encoding(answer: Answer) -> str:
    """How the body is encoded; ``identity`` is what was asked for."""
    return answer.response.headers.get("content-encoding", "").strip().lower() or "identity"


def iter_chunks(answer: Answer, url: str, limits: FetchLimits) -> Iterator[bytes]:
    """The body's bytes, decompressed where the server compressed without being asked, within the limits.

    Raises:
        FetchTooLarge: More bytes than the limit, before or after decompression.
        FetchTimedOut: The fetch's time is up.
        ConnectionFailed: An encoding that was not asked for and is not known, or damaged compressed bytes.
    """
    length = announced_length(answer)
    if length is not None and length > limits.max_bytes:
        raise _too_large(url, limits, f"{format_bytes(length)} are announced")
    raw = _count(_iter_raw(answer, url, limits), url, limits)
    encoding = content_encoding(answer)
    if encoding == "identity":
        return raw
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ConnectionFailed(
            f"{redact_url(url)} answers in the encoding {encoding!r}, which was not asked for",
            hint="Download it by other means and give the local file",
        )
    return _count(_decompress(raw, url), url, limits)


def _iter_raw(answer: Answer, url: str, limits: FetchLimits) -> Iterator[bytes]:
    for chunk in answer.response.iter_raw():
        if answer.clock.expired:
            raise timed_out(url, limits)
        yield chunk
    if answer.clock.expired:  # A connection that was cut may look like the end of the body.
        raise timed_out(url, limits)


def _count(chunks: Iterator[bytes], url: str, limits: FetchLimits) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limits.max_bytes:
            raise _too_large(url, limits, "more arrived")
        yield chunk


def _decompress(chunks: Iterator[bytes], url: str) -> Iterator[bytes]:
    decoder = zlib.decompressobj(wbits=47)  # gzip or zlib, whichever the header says
    try:
        for chunk in chunks:
            pending = chunk
            while pending and not decoder.eof:
                yield decoder.decompress(pending, _PIECE_BYTES)
                pending = decoder.unconsumed_tail
        while not decoder.eof and (piece := decoder.decompress(b"", _PIECE_BYTES)):
            yield piece
    except zlib.error as error:
        raise _damaged(url, str(error)) from error
    if not decoder.eof:
        raise _damaged(url, "it ends early")


def _damaged(url: str, reason: str) -> ConnectionFailed:
    return ConnectionFailed(f"The compressed body of {redact_url(url)} is damaged ({reason})", hint="Try again")


def _too_large(url: str, limits: FetchLimits, reason: str) -> FetchTooLarge:
    return FetchTooLarge(
        f"{redact_url(url)} is larger than the limit of {format_bytes(limits.max_bytes)} ({reason})",
        hint="Download it by other means and give the local file",
    )
