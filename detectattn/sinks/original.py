"""What an annotated video takes over from the file it came from: sound, pixel shape, rate."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.stream import Discard

from detectattn.sinks.soundtrack import Soundtrack

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Original:
    """The file behind a video.

    Attributes:
        rate: Mean pictures per second.
        pixel_aspect: Width over height of a pixel of the upright picture.
        soundtrack: Its sound, opened, or None.
    """

    rate: Fraction = Fraction(25)
    pixel_aspect: Fraction = Fraction(1)
    soundtrack: Soundtrack | None = None


def open_original(path: Path) -> Original:
    """Look into a video file that is being read elsewhere; a file that is gone or unreadable by now gives defaults."""
    try:
        with _open(path) as container:
            stream = container.streams.best("video")
            first = next(container.decode(stream), None)
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            aspect = stream.sample_aspect_ratio or Fraction(1)
            start_s = Fraction(0) if first is None or first.pts is None else first.pts * stream.time_base
            if first is not None and first.rotation % 180:
                aspect = 1 / aspect
        return Original(rate, aspect, _open_soundtrack(path, start_s))
    except av.error.FFmpegError as error:
        _logger.warning("%s is annotated without its sound: %s", path, error.strerror)
        return Original()


def _open_soundtrack(path: Path, start_s: Fraction) -> Soundtrack | None:
    container = _open(path)
    audio = container.streams.best("audio")
    if audio is None or audio.codec_context is None:
        container.close()
        return None
    for stream in container.streams:
        if stream is not audio:
            # Spares reading the pictures a second time.
            stream.discard = Discard.all
    return Soundtrack(container, start_s)


def _open(path: Path) -> Any:
    return av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
