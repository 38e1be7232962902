"""The sound of a source video, brought along beside the annotated pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

_logger = logging.getLogger(__name__)

# What an MP4 can hold and a browser can play; anything else becomes AAC.
_COPIED = frozenset({"aac", "mp3", "opus", "flac"})
_AAC_RATES_HZ = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})
_AAC_BITS_PER_CHANNEL = 96_000
_SYNC_TOLERANCE_S = 0.1


class Soundtrack:
    """The first sound stream of a file, written piecemeal into another, so that memory does not grow with its length.

    Copied as it is where MP4 can hold it and browsers play it, otherwise encoded to AAC. Damage ends the sound, never
    the pictures.

    Args:
        source: The open source, an av.InputContainer that nobody else reads; closed here.
        start_s: Where on the source's clock the first picture lies; sound before it is left out.
    """

    def __init__(self, source: Any, start_s: Fraction) -> None:
        self._source = source
        self._input = source.streams.best("audio")
        self._start_s = start_s
        self._packets = self._iter_packets()
        self._next: Any = None
        self._track: _Copied | _Encoded | None = None

    def attach(self, container: Any) -> None:
        """Add the sound's stream to ``container``, an av.OutputContainer that is not started yet."""
        codec = self._input.codec_context.codec.canonical_name
        kind = _Copied if codec in _COPIED else _Encoded
        self._track = kind(container, self._input, self._start_s)
        self._next = next(self._packets, None)

    def write_until(self, time_s: float) -> None:
        """Write what begins before ``time_s`` seconds after the first picture.

        Raises:
            OSError: What the file system says when it cannot take more.
        """
        while self._track is not None and self._next is not None:
            if self._next.pts * self._next.time_base - self._start_s >= time_s:
                return
            self._guard(self._track.write, self._next)
            self._next = next(self._packets, None)

    def limit(self, end_s: float) -> None:
        """Say where the pictures end, before the last of the sound is written; what is beyond is cut."""
        if self._track is not None:
            self._track.end_s = end_s

    def finish(self) -> None:
        """Write what is still in the encoder, and let go of the source.

        Raises:
            OSError: What the file system says when it cannot take more.
        """
        if self._track is not None:
            self._guard(self._track.finish)
        self.close()

    def _guard(self, step: Callable[..., None], *operands: Any) -> None:
        try:
            step(*operands)
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            self._track = None
            _logger.warning("the sound of %s ends early: %s", self._source.name, error.strerror)

    def close(self) -> None:
        """Let go of the source."""
        self._packets.close()
        self._source.close()

    def _iter_packets(self) -> Generator[Any]:
        """Packets with a time, each later than the one before; lost times are reconstructed."""
        following: int | None = None
        try:
            for packet in self._source.demux(self._input):
                if not packet.size:
                    continue
                ticks = packet.pts if packet.pts is not None else packet.dts
                if ticks is None:
                    ticks = following if following is not None else 0
                packet.pts = packet.dts = ticks
                following = ticks + (packet.duration or 0)
                yield packet
        except av.error.FFmpegError as error:
            _logger.warning("the sound of %s ends early: %s", self._source.name, error.strerror)


class _Copied:
    """Packets as they are, moved in time."""

    def __init__(self, container: Any, source: Any, start_s: Fraction) -> None:
        self.end_s: float | None = None
        self._container = container
        self._stream = container.add_stream_from_template(source)
        self._shift = round(start_s / source.time_base)
        self._last: int | None = None

    def write(self, packet: Any) -> None:
        ticks = packet.pts - self._shift
        # The packet that ends where the pictures start primes the decoder; the container hides its sound.
        too_early = ticks + (packet.duration or 0) < 0
        if too_early or (self._last is not None and ticks <= self._last):
            return
        self._last = packet.pts = packet.dts = ticks
        packet.stream = self._stream
        self._container.mux(packet)

    def finish(self) -> None:
        """Nothing is held back."""


class _Encoded:
    """Sound decoded and encoded to AAC from time zero on, with silence where the source has none."""

    def __init__(self, container: Any, source: Any, start_s: Fraction) -> None:
        self.end_s: float | None = None
        self._container = container
        self._decoder = source.codec_context
        self._start_s = start_s
        self._rate_hz = self._decoder.sample_rate if self._decoder.sample_rate in _AAC_RATES_HZ else 48_000
        self._channels = min(len(self._decoder.layout.channels), 2)
        layout = "mono" if self._channels == 1 else "stereo"
        self._stream = container.add_stream("aac", rate=self._rate_hz, layout=layout)
        self._stream.codec_context.bit_rate = _AAC_BITS_PER_CHANNEL * self._channels
        self._resampler = av.AudioResampler(format="fltp", layout=layout, rate=self._rate_hz)
        self._position = 0

    def write(self, packet: Any) -> None:
        try:
            frames = self._decoder.decode(packet)
        except av.error.InvalidDataError:
            return
        for frame in frames:
            place = self._place_of(frame)
            for resampled in self._resampler.resample(frame):
                self._put(resampled.to_ndarray(), place)
                place += resampled.samples

    def finish(self) -> None:
        for resampled in self._resampler.resample(None):
            self._put(resampled.to_ndarray(), self._position)
        self._container.mux(self._stream.encode(None))

    def _place_of(self, frame: Any) -> int:
        """The sample at which ``frame`` belongs; right behind the last one if that is as good as true."""
        if frame.pts is None:
            return self._position
        place = round((frame.pts * frame.time_base - self._start_s) * self._rate_hz)
        return self._position if abs(place - self._position) <= _SYNC_TOLERANCE_S * self._rate_hz else place

    def _put(self, samples: NDArray[np.float32], place: int) -> None:
        """Encode f32[channels, n] at sample ``place``: silence before it, nothing that is past or beyond the end."""
        while place > self._position:
            self._encode(np.zeros((self._channels, min(place - self._position, self._rate_hz)), np.float32))
        end = None if self.end_s is None else max(0, round(self.end_s * self._rate_hz) - place)
        self._encode(samples[:, self._position - place : end])

    def _encode(self, samples: NDArray[np.float32]) -> None:
        if samples.shape[1] == 0:
            return
        layout = "mono" if self._channels == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate_hz, self._position, Fraction(1, self._rate_hz)
        self._position += samples.shape[1]
        self._container.mux(self._stream.encode(frame))
