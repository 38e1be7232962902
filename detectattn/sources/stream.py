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

from detectattn.errors import Offline
from detectattn.fetch import redact_url
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.stream_reader import Mailbox, StreamLimits, read_into
from detectattn.types import Frame, Media

_logger = logging.getLogger(__name__)

DEFAULT_LIMITS = StreamLimits()
_JOIN_S = 2.0


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


def iter_stream_frames(media: Media, options: ReadOptions, limits: StreamLimits = DEFAULT_LIMITS) -> Iterator[Frame]:
    """Yield the newest frame each time one is asked for; those that came in between are dropped.

    A thread reads on while the caller works. Indices are those of the stream, so a gap tells what was dropped;
    ``timestamp_s`` is the wall clock since the first frame yielded. A stream that ends by itself ends the iteration;
    one that breaks off is opened again a few times. Closing the generator stops the thread.

    Raises:
        StreamLost: The stream or camera cannot be reached, or went away for good.
        UndecodableVideo: It carries no pictures.
        Offline: It is a URL and ``options.offline`` is set.
    """
    location = media.location
    if not isinstance(location, str | int):
        raise TypeError(f"a stream is read from a URL or a camera index, got {type(location).__name__}")
    if isinstance(location, str) and options.offline:
        raise Offline(f"stream {media.source!r} needs the network", hint="Leave out --offline, or name a local file")
    mailbox = Mailbox()
    reader = threading.Thread(
        target=read_into, args=(mailbox, location, media.source, limits, options.vid_stride), daemon=True
    )
    reader.start()
    try:
        origin_s: float | None = None
        while (shot := mailbox.take(media.source, limits)) is not None:
            origin_s = shot.arrived_s if origin_s is None else origin_s
            yield Frame(media, shot.index, shot.to_bgr(), shot.arrived_s - origin_s, shot.warnings)
    finally:
        mailbox.stop.set()
        # A reader that hangs in a dead connection ends at its time limit; being a daemon it holds nobody up.
        reader.join(_JOIN_S)
        _logger.info("%s: %d frames dropped to keep up", media.source, mailbox.dropped)
