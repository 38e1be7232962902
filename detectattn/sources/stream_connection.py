"""One connection to a network stream: opened, decoded, and lost with a reason."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any, Protocol
from urllib.parse import urlsplit

import av
import av.error

from detectattn.errors import DetectattnError, FetchError, ForbiddenAddress, StreamLost, UndecodableVideo
from detectattn.sources.base import ReadOptions
from detectattn.sources.stream_http import HttpFiles, describe_fetch_error
from detectattn.sources.stream_limits import StreamLimits
from detectattn.sources.stream_mailbox import Picture
from detectattn.sources.video_formats import STREAM_FORMATS
from detectattn.sources.video_picture import PictureConverter, check_size

_OPTIONS = {
    "analyzeduration": "2000000",
    "rtsp_flags": "prefer_tcp",
    "overrun_nonfatal": "1",
    "format_whitelist": STREAM_FORMATS,
}
# Its decoder makes grey of what is missing; others need damaged packets to find their way.
_WHOLE_PICTURES = "mjpeg"
_EMPTY = "it answers but sends no picture"


class ConnectionLost(Exception):
    """A connection that could not be made, or broke off; its text is the reason."""


class Connection(Protocol):
    """What frames come from: a server or a camera, opened as often as it must be.

    Attributes:
        name: What a person calls it.
    """

    name: str

    def iter_pictures(self, note_open: Callable[[], None]) -> Generator[Picture]:
        """Open it once and yield pictures until it ends by itself; ``note_open`` is called when it answers.

        Raises:
            ConnectionLost: It cannot be opened, or broke off.
            SourceError: It is of no use, now or later.
        """
        ...

    def to_error(self, reason: str) -> StreamLost:
        """The error of one that was never there."""
        ...


class NetworkConnection:
    """A stream behind a URL.

    A server that hangs up has not ended its stream: cameras do so when they start anew. Only what knows its own length,
    such as a playlist with an end, ends by itself.

    Args:
        url: Where it is.
        source: Its name for people.
        limits: How long it may keep one waiting.
        stop: Set to end it.
        max_pixels: Refuse pictures of more pixels than this.
    """

    def __init__(
        self, url: str, source: str, limits: StreamLimits, stop: Event, max_pixels: int = ReadOptions().max_pixels
    ) -> None:
        self.name = f"stream {source!r}"
        self._url = url
        self._limits = limits
        self._stop = stop
        self._max_pixels = max_pixels
        self._was_live = False
        self._has_shown = False

    def iter_pictures(self, note_open: Callable[[], None]) -> Generator[Picture]:
        """The decoded pictures of one connection; see :meth:`Connection.iter_pictures`."""
        opened_s: float | None = None
        started_s = time.monotonic()
        is_http = self._url.lower().startswith(("http://", "https://"))
        files = HttpFiles(self._url, self.name, self._limits, self._stop) if is_http else None
        try:
            with self._open(files) as container:
                opened_s = time.monotonic()
                yield from self._decode(container, note_open, files)
        except FetchError as error:
            raise self._explain(error) from None
        except av.error.FFmpegError as error:
            if self._stop.is_set():
                return
            if files is not None and (missing := files.refusal or files.problem) is not None:
                raise self._explain(missing) from None
            if opened_s is None and time.monotonic() - started_s >= self._limits.open_s:
                # RTSP names no reason when our own time limit ends its wait.
                raise ConnectionLost("no answer in time") from None
            raise ConnectionLost(describe_error(error, self._url if opened_s is None else "")) from None

    def to_error(self, reason: str) -> StreamLost:
        """The error of a server that cannot be reached."""
        return StreamLost(
            f"{self.name} cannot be reached: {reason}",
            hint="Check the address and its port, that the camera or server is on and reachable from this machine, and "
            "the login (rtsp://user:password@host/path)",
        )

    @contextmanager
    def _open(self, files: HttpFiles | None) -> Iterator[Any]:
        if files is None:
            times_s = (self._limits.open_s, self._limits.read_s)
            with av.open(self._url, options=_OPTIONS, timeout=times_s, metadata_errors="replace") as container:
                yield container
            return
        try:
            with files.open() as container:
                yield container
        finally:
            files.close()

    def _explain(self, error: DetectattnError) -> Exception:
        """What becomes of a fetch that failed: the stream is given up, or called again."""
        if isinstance(error, FetchError) and not isinstance(error, ForbiddenAddress):
            return ConnectionLost(describe_fetch_error(error, self._url))
        return error

    def _decode(self, container: Any, note_open: Callable[[], None], files: HttpFiles | None) -> Generator[Picture]:
        stream = container.streams.best("video")
        if stream is None or stream.codec_context is None:
            if self._has_shown:
                raise ConnectionLost("it carries no pictures any more")
            raise UndecodableVideo(f"{self.name} carries no pictures", hint="Name the address of its video")
        is_live = container.duration is None
        if self._was_live and not is_live:
            return  # a broadcast that is over: what is there now is its recording
        self._was_live = is_live
        check_size(stream.codec_context, self.name, self._max_pixels)
        note_open()
        # Threads over frames would hold back as many frames as there are threads.
        stream.thread_type = "SLICE"
        converter = PictureConverter()
        last_s = time.monotonic()
        for packet in _iter_packets(container, files, self._limits.read_s):
            if self._stop.is_set():
                return
            pictures = _decode_packet(stream, packet)
            for picture in pictures:
                check_size(picture, self.name, self._max_pixels)
                yield partial(converter.to_bgr, picture)
            if pictures:
                last_s, self._has_shown = time.monotonic(), True
            elif time.monotonic() - last_s > self._limits.first_frame_s:
                raise ConnectionLost(_EMPTY)
        if self._stop.is_set():
            return
        if files is not None and (missing := files.refusal or (files.problem if is_live else None)) is not None:
            raise self._explain(missing)
        if is_live:
            raise ConnectionLost("the server closed the connection")


def _iter_packets(container: Any, files: HttpFiles | None, limit_s: float) -> Iterator[Any]:
    """The packets, each with time of its own to arrive; FFmpeg sees to that where it fetches them itself."""
    if files is not None:
        files.renew(limit_s)
    for packet in container.demux():
        yield packet
        if files is not None:
            files.renew(limit_s)


def _decode_packet(stream: Any, packet: Any) -> list[Any]:
    """The pictures that a packet completes; an empty packet brings out what the decoder holds."""
    context = stream.codec_context
    if packet.stream.index != stream.index or (packet.is_corrupt and context.name == _WHOLE_PICTURES):
        return []
    try:
        pictures: list[Any] = context.decode(packet if packet.size else None)
    except av.error.InvalidDataError:
        # Usual until the first whole picture, and after a lost packet; the decoder finds its way back.
        return []
    return pictures


def describe_error(error: av.error.FFmpegError, url: str = "") -> str:
    """An error of FFmpeg in words; with a ``url``, that its host is unknown, which FFmpeg reports like a bad disk."""
    if isinstance(error, av.error.ExitError):
        # What FFmpeg reports when our own time limit ends a wait.
        return "no answer in time"
    if error.errno == errno.EIO and (host := urlsplit(url).hostname):
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            return f"the name {host!r} cannot be looked up"
    if error.errno == errno.EIO:
        return "the connection broke off"
    return str(error.strerror or error).rstrip(".")
