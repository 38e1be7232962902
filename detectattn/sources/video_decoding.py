"""Decode a video file past its damage, and tell whether all that its header promises was there."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import av.error

_HEADER_TOLERANCE_S = 0.5
_DEMUX_RETRIES = 3


class Decoding:
    """One pass over a video stream that goes on after damage and knows whether the end was reached.

    Args:
        container: An open av.InputContainer.
        stream: Its video stream.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        self._container = container
        self._stream = stream
        self._packets = 0
        self._end_s = 0.0
        self._lost = 0
        self._demux_error: str | None = None

    def iter_pictures(self) -> Iterator[tuple[Any, list[str]]]:
        """Decoded pictures, each with what went wrong since the one before."""
        for packet in self._iter_packets():
            try:
                pictures = self._stream.codec_context.decode(packet)
            except av.error.FFmpegError:
                self._lost += 1
                continue
            for picture in pictures:
                damage = []
                if self._lost:
                    damage.append(f"{self._lost} damaged packet(s) before this frame could not be decoded")
                    self._lost = 0
                if picture.is_corrupt:
                    damage.append("parts of this frame are damaged in the file")
                yield picture, damage

    def _iter_packets(self) -> Iterator[Any]:
        # All streams are walked, for the end of the longest is what the header's duration promises.
        failures = 0
        while failures < _DEMUX_RETRIES:
            try:
                for packet in self._container.demux():
                    if not packet.size:
                        continue
                    failures = 0
                    self._end_s = max(self._end_s, _packet_end_s(packet))
                    if packet.stream_index == self._stream.index:
                        self._packets += 1
                        yield packet
            except av.error.FFmpegError as error:
                failures += 1
                self._demux_error = error.strerror
            else:
                break
        yield None

    def explain_break(self) -> str | None:
        """Why what was read is not all of the file, or None when it is."""
        if self._lost:
            return f"the last {self._lost} packet(s) are damaged"
        missing = self._find_missing()
        if missing and self._demux_error:
            return f"{missing} ({self._demux_error})"
        return missing or self._demux_error

    def _find_missing(self) -> str | None:
        if "mp4" in self._container.format.name.split(","):
            promised = len(self._stream.index_entries)
            short = self._packets < promised
            return f"the file holds {self._packets} of the {promised} frames in its index" if short else None
        duration_s = _promised_s(self._container, self._stream)
        if duration_s - self._end_s <= _HEADER_TOLERANCE_S:
            return None
        return f"the file ends there, where its header promises {duration_s:.1f} s"


def _packet_end_s(packet: Any) -> float:
    ticks = packet.pts if packet.pts is not None else packet.dts
    if ticks is None:
        return 0.0
    start = packet.stream.start_time or 0
    end_s = (ticks - min(start, 0) + (packet.duration or 0)) * packet.time_base
    return float(end_s)


def _promised_s(container: Any, stream: Any) -> float:
    declared_s = container.duration / av.time_base if container.duration else 0.0
    if container.format.name == "avi" and stream.frames and stream.guessed_rate:
        # FFmpeg corrects an AVI's duration by the file's size; the header's count of frames stays as it was written.
        declared_s = max(declared_s, float(Fraction(stream.frames) / stream.guessed_rate))
    start_s: float = max(container.start_time or 0, 0) / av.time_base
    return declared_s + start_s
