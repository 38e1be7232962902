"""Streams over http and https: fetched as everything else is fetched, so that FFmpeg is handed bytes and dials nobody.

FFmpeg follows a playlist to any address and every redirect, and does not look at certificates. Here each address that a
playlist names is one more fetch, under the rules of redirects (:mod:`detectattn.fetch`).
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from socket import gaierror
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import av

from detectattn.errors import (
    DetectattnError,
    FetchError,
    FetchTimedOut,
    ForbiddenAddress,
    SourceError,
    UndecodableVideo,
)
from detectattn.fetch import FetchLimits, LiveBody, Origin, redact_url
from detectattn.sources.sniff import MOTION_JPEG_TYPE, PLAYLIST_START
from detectattn.sources.stream_limits import StreamLimits
from detectattn.sources.video_formats import FILE_FORMATS, HLS_FORMATS

_MOST_PLAYLIST_BYTES = 10_000_000
# No protocol is FFmpeg's to open; its own keeping of connections for HLS expects them to be.
_OPTIONS = {"protocol_whitelist": "none", "http_persistent": "0", "http_multiple": "0", "analyzeduration": "2000000"}


class HttpFiles:
    """What one connection to a stream consists of: an answer without an end, or a playlist and what it names.

    What cannot be fetched later on is an empty file to FFmpeg, which passes over it or ends, and is remembered here: an
    error that crosses FFmpeg would be written to the terminal.

    Args:
        url: Where the stream is.
        name: What a person calls it.
        limits: How long it may keep one waiting.
        stop: Set to end it.

    Attributes:
        refusal: Why the stream is of no use, now or later; None where nothing speaks against it.
        problem: What could not be fetched last; None where nothing was missing.
    """

    def __init__(self, url: str, name: str, limits: StreamLimits, stop: Event) -> None:
        self.refusal: DetectattnError | None = None
        self.problem: FetchError | None = None
        self._url = url
        self._name = name
        self._limits = limits
        self._stop = stop
        self._deadline_s = 0.0
        self._origin: Origin | None = None
        self._playlists: dict[str, Origin] = {}
        self._parts: set[_Part] = set()

    def open(self) -> Any:
        """The container, as PyAV opens it.

        Raises:
            FetchError: The address cannot be fetched.
            av.error.FFmpegError: It is no stream, or :attr:`refusal` and :attr:`problem` say why it is of no use.
        """
        self.renew(self._limits.open_s)
        part = self._fetch(self._url, None, {})
        self.renew(self._limits.open_s)
        is_playlist = part.is_playlist
        options = _OPTIONS | {"format_whitelist": HLS_FORMATS if is_playlist else FILE_FORMATS}
        # A server says of MJPEG what it is; of all else its bytes do.
        given = "hls" if is_playlist else "mpjpeg" if part.content_type == MOTION_JPEG_TYPE else None
        times_s = (self._limits.open_s, self._limits.read_s)
        return av.open(
            part, format=given, options=options, timeout=times_s, metadata_errors="replace", io_open=self._open_named
        )

    def renew(self, limit_s: float) -> None:
        """The next packet has so much time to arrive."""
        self._deadline_s = time.monotonic() + limit_s
        for part in self._parts:
            part.renew(limit_s)

    def is_over(self) -> bool:
        """Whether nothing more is to be fetched."""
        if time.monotonic() > self._deadline_s:
            late = FetchTimedOut(f"{redact_url(self._url)} sent no picture in time", hint="Try again later")
            self.problem = self.problem or late
            return True
        return self.refusal is not None or self._stop.is_set()

    def note(self, error: DetectattnError) -> None:
        """Remember what went wrong."""
        if isinstance(error, FetchError) and not isinstance(error, ForbiddenAddress):
            self.problem = error
        else:
            self.refusal = self.refusal or error

    def forget(self, part: _Part) -> None:
        """A part was closed."""
        self._parts.discard(part)

    def close(self) -> None:
        """Hang up."""
        for part in list(self._parts):
            part.close()

    def _open_named(self, url: str, flags: int, options: Mapping[str, str]) -> _Part:
        """What FFmpeg found named; PyAV's ``io_open``."""
        if not self.is_over():
            try:
                return self._fetch(url, self._playlists.get(url, self._origin), options)
            except (FetchError, SourceError) as error:
                self.note(error)
        return _Part(self, None)

    def _fetch(self, url: str, origin: Origin | None, options: Mapping[str, str]) -> _Part:
        if url.startswith("crypto"):
            raise UndecodableVideo(
                f"{self._name} is encrypted, which is not read here",
                hint="Let FFmpeg pass it on: ffmpeg -i ADDRESS -c copy -f mpegts udp://127.0.0.1:9000, and name "
                "udp://127.0.0.1:9000 here",
            )
        left_s = max(self._deadline_s - time.monotonic(), 0.001)
        limits = FetchLimits(total_s=left_s, connect_s=left_s, idle_s=self._limits.read_s)
        first, wanted = _read_range(options)
        headers = {"Range": wanted} if wanted else None
        body = LiveBody(url, limits, origin=origin, headers=headers)
        try:
            part = _Part(self, body, skip=0 if body.is_part else first)
        except FetchError:
            body.close()
            raise
        self._parts.add(part)
        if part.is_playlist:
            # It is read again while the stream goes on, also after it has led further out.
            self._playlists.setdefault(url, origin or body.origin)
            self._playlists.setdefault(body.name, origin or body.origin)
        farthest = max(body.origin.reach, self._origin.reach if self._origin else body.origin.reach)
        self._origin = replace(self._origin or body.origin, reach=farthest)
        return part


class _Part:
    """One fetched address, as a file for PyAV; an empty one where there is no body."""

    def __init__(self, files: HttpFiles, body: LiveBody | None, skip: int = 0) -> None:
        self.name = body.name if body else ""
        self.content_type = body.content_type if body else ""
        self.is_playlist = body is not None and body.peek(len(PLAYLIST_START)) == PLAYLIST_START
        self._files = files
        self._body = body
        self._skip = skip
        self._left = _MOST_PLAYLIST_BYTES

    def read(self, count: int) -> bytes:
        """The next bytes; none at the end, and where they cannot be had."""
        try:
            while self._body is not None and not self._files.is_over():
                piece = self._body.read(count)
                if not self._skip or not piece:
                    return self._count(piece)
                piece, self._skip = piece[self._skip :], max(0, self._skip - len(piece))
                if piece:
                    return piece
        except FetchError as error:
            self._files.note(error)
        return b""

    def _count(self, piece: bytes) -> bytes:
        if self.is_playlist:
            self._left -= len(piece)
            if self._left < 0:
                problem = f"the playlist {redact_url(self.name)} is longer than {_MOST_PLAYLIST_BYTES:,} bytes"
                self._files.note(UndecodableVideo(problem, hint="Name the address of one of its parts"))
                return b""
        return piece

    def renew(self, limit_s: float) -> None:
        """It has so much time again."""
        if self._body is not None:
            self._body.renew(limit_s)

    def close(self) -> None:
        """Hang up; PyAV calls it, too."""
        self._files.forget(self)
        if self._body is not None:
            self._body.close()


def _read_range(options: Mapping[str, str]) -> tuple[int, str]:
    """The first byte that a playlist wants of a file, and the header that asks for it; none where it wants all."""
    first, end = int(options.get("offset", 0)), options.get("end_offset")
    last = "" if end is None else str(int(end) - 1)
    return first, f"bytes={first}-{last}" if first or last else ""


def describe_fetch_error(error: FetchError, url: str) -> str:
    """Why a stream could not be fetched, as words that follow "it cannot be reached:"."""
    if isinstance(error, FetchTimedOut):
        return "no answer in time"
    reason = _find_system_error(error)
    if isinstance(reason, gaierror):
        return f"the name {urlsplit(url).hostname!r} cannot be looked up"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate cannot be verified ({reason.verify_message}); SSL_CERT_FILE may name your own"
    if reason is not None and reason.strerror and not isinstance(reason, ssl.SSLError):
        return re.sub(r"^\[Errno -?\d+\] ", "", reason.strerror)
    return error.problem


def _find_system_error(error: BaseException | None) -> OSError | None:
    """What the system said, below the words of the libraries in between."""
    found = None
    while error is not None:
        found = error if isinstance(error, OSError) else found
        error = error.__cause__ or error.__context__
    return found
