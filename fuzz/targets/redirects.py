"""What a server may say of where to go and what it sends: every redirect, with a resolver of its own and no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from detectattn.fetch import connection
from detectattn.fetch.body import fetch_bytes
from detectattn.fetch.limits import FetchLimits
from detectattn.sources.base import ReadCounts
from detectattn.sources.url import UrlSource
from detectattn.types import FrameFailure
from fuzz.contract import read_or_refuse, require_line
from fuzz.target import SEPARATOR, Target

_LIMITS = FetchLimits(max_bytes=1 << 16, total_s=20, redirects=3)


def run(content: bytes, folder: Path) -> None:
    """Follow the addresses of an input, one redirect each; the last part is the body, with its headers."""
    first, *targets = content.split(SEPARATOR)
    url = first.decode("utf-8", "surrogateescape")
    for item in UrlSource(url).iter_media(ReadCounts()):
        if isinstance(item, FrameFailure):
            require_line(item.message)
    replies = [_redirect(target) for target in targets[:-1]] + [_body(part) for part in targets[-1:]]
    read_or_refuse(_fetch, url if "://" in url else "http://198.51.100.7/a.jpg", replies)


def _fetch(url: str, replies: list[httpx.Response]) -> object:
    """Fetch with a client that answers from ``replies`` in turn, then with an empty body."""
    pending = iter(replies)

    def answer(request: httpx.Request) -> httpx.Response:
        return next(pending, None) or httpx.Response(200, stream=_Once(b""))

    real = connection._open_client
    scripted: Any = lambda limits: httpx.Client(transport=httpx.MockTransport(answer))  # noqa: E731
    connection._open_client = scripted
    try:
        return fetch_bytes(url, _LIMITS)
    finally:
        connection._open_client = real


def _redirect(target: bytes) -> httpx.Response:
    return httpx.Response(302, headers=[(b"location", target.replace(b"\r", b"").replace(b"\n", b""))])


def _body(part: bytes) -> httpx.Response:
    """Of the first line become the headers that say what the body is."""
    head, _, body = part.partition(b"\n")
    encoding, _, length = head.partition(b";")
    headers = [(b"content-encoding", encoding), (b"content-length", length), (b"content-type", encoding + length)]
    return httpx.Response(200, headers=headers, stream=_Once(body))


class _Once(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Any:
        yield self._body


TARGET = Target(
    reads="addresses, redirects, and the headers and compressed bodies of answers",
    modules=("detectattn.fetch", "detectattn.sources.url", "detectattn.sources.naming", "httpx"),
    run=run,
)
