"""Live streams and cameras: the newest frame always, a dead server never waited for."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import av.error

from detectattn.errors import Offline
from detectattn.fetch import redact_url
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.stream_connection import Connection, NetworkConnection
from detectattn.sources.stream_limits import StreamLimits
from detectattn.sources.stream_mailbox import Mailbox
from detectattn.sources.stream_options import StreamOptions, find_stream_options
from detectattn.sources.stream_reader import StreamReader
from detectattn.types import Frame, Media

_logger = logging.getLogger(__name__)

_JOIN_S = 0.5


@dataclass(frozen=True, slots=True)
class StreamSource:
    """A stream's URL or a camera's index, named by the user.

    Attributes:
        location: ``rtsp://``, ``rtmp://``, ``http(s)://`` (MJPEG, HLS), ``udp://``, …, or an index from 0.
    """

    location: str | int

    def iter_media(self, counts: ReadCounts) -> Iterator[Media]:
        """The one stream. A login in the URL stays out of the name that records carry."""
        yield Media(redact_url(str(self.location)), "stream", self.location, name_stream_output(self.location))

    def count(self) -> int:
        """Always one."""
        return 1


def name_stream_output(location: str | int) -> PurePosixPath:
    """A file name for what comes of a stream: ``camera-0``, ``192.168.1.5-554-ch1``."""
    if isinstance(location, int):
        return PurePosixPath(f"camera-{location}")
    parts = urlsplit(redact_url(location))
    address = parts.netloc.rpartition("@")[2] + parts.path
    words = re.sub(r"[^\w.]+", "-", address, flags=re.ASCII).strip("-.")[:80] or "stream"
    if parts.query:
        words += f"-{hashlib.sha256(parts.query.encode('utf-8', 'surrogateescape')).hexdigest()[:6]}"
    return PurePosixPath(words)


def iter_stream_frames(media: Media, options: ReadOptions, limits: StreamLimits | None = None) -> Iterator[Frame]:
    """Yield the newest frame each time one is asked for; those that came in between are dropped.

    A thread reads on while the caller works. Indices are those of the stream, so a gap tells what was dropped;
    ``timestamp_s`` is the time of arrival since that of the first frame yielded, whatever the stream's own clock says.
    A stream that ends by itself ends the iteration; one that breaks off is called again, with growing pauses. Closing
    the generator stops the thread.

    Args:
        media: ``location`` is a URL, or a camera's index.
        options: ``vid_stride``, ``max_pixels``, ``offline``, and those of streams where it is
            :class:`~detectattn.sources.stream_options.LiveReadOptions`.
        limits: In place of those among the options.

    Raises:
        StreamLost: The stream or camera cannot be reached, or went away and did not come back in as many attempts as
            the limits allow.
        UndecodableVideo: It carries no pictures.
        ImageTooLarge: A picture has more pixels than ``options.max_pixels``.
        ForbiddenAddress: It leads to an address that it must not lead to.
        Offline: It is a URL and ``options.offline`` is set.
    """
    location = media.location
    if not isinstance(location, str | int):
        raise TypeError(f"a stream is read from a URL or a camera index, got {type(location).__name__}")
    if isinstance(location, str) and options.offline:
        raise Offline(f"stream {media.source!r} needs the network", hint="Leave out --offline, or name a local file")
    streams = find_stream_options(options)
    limits = limits or streams.limits
    mailbox = Mailbox()
    connection = _connect(location, media.source, limits, mailbox.stop, options.max_pixels)
    reader = StreamReader(connection, limits, mailbox, streams.watch)
    streams.watch.note_opening()
    thread = threading.Thread(target=reader.run, args=(options.vid_stride,), name="stream-reader", daemon=True)
    thread.start()
    try:
        yield from _iter_taken(media, mailbox, limits, connection, streams)
    finally:
        mailbox.stop.set()
        # A reader that hangs in a dead connection ends at its time limit; being a daemon it holds nobody up.
        thread.join(_JOIN_S)
        streams.watch.note_end()
        _logger.info("%s: %d frames dropped to keep up", media.source, mailbox.dropped)


def _connect(
    location: str | int, source: str, limits: StreamLimits, stop: threading.Event, max_pixels: int
) -> Connection:
    if isinstance(location, int):
        from detectattn.sources.stream_camera import CameraConnection

        return CameraConnection(location, stop)
    return NetworkConnection(location, source, limits, stop, max_pixels)


def _iter_taken(
    media: Media, mailbox: Mailbox, limits: StreamLimits, connection: Connection, streams: StreamOptions
) -> Iterator[Frame]:
    origin_s: float | None = None
    kept: tuple[str, ...] = ()
    while True:
        streams.await_turn()
        shot = mailbox.take(limits, connection.to_error, streams.is_stopped)
        if shot is None:
            return
        origin_s = shot.arrived_s if origin_s is None else origin_s
        timestamp_s = shot.arrived_s - origin_s
        try:
            bgr = shot.to_bgr()
        except (av.error.FFmpegError, ValueError) as error:
            # One picture that cannot be converted must not end weeks.
            kept = (f"frame {shot.index} could not be converted ({error})",)
            continue
        streams.watch.note_taken(shot.arrived_s, timestamp_s)
        yield Frame(media, shot.index, bgr, timestamp_s, kept + shot.warnings)
        kept = ()
