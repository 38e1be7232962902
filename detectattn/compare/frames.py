"""The pictures of a study: decoded once, in bounded chunks that every model reads from one file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from detectattn.compare.pictures import PictureFile, write_pictures
from detectattn.pipeline.reading import next_frame
from detectattn.sources import iter_frames
from detectattn.sources.base import ReadOptions
from detectattn.types import Frame, FrameFailure, Media

_CHUNK_BYTES = 256 * 1024**2
FIRST_CHUNK_PICTURES = 64
"""Timing waits for the first chunk, so that one is short."""


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """A picture that took part.

    Attributes:
        source: As in records.
        index: As in records.
        size_hw: Height and width of the upright picture in pixels.
        decode_ms: What decoding it took.
        timestamp_s: Of a video's frame.
        warnings: What was wrong with it and let pass.
    """

    source: str
    index: int
    size_hw: tuple[int, int]
    decode_ms: float
    timestamp_s: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some pictures, decoded in a file.

    Attributes:
        pixels: Where they lie.
        infos: Which they are.
    """

    pixels: PictureFile
    infos: tuple[PictureInfo, ...]


def iter_decoded(
    media: Iterable[Media | FrameFailure], options: ReadOptions, on_failure: Callable[[FrameFailure], None]
) -> Iterator[tuple[Frame, float]]:
    """Frames with the milliseconds that each took to decode; what cannot be read goes to ``on_failure``."""
    for item in media:
        if isinstance(item, FrameFailure):
            on_failure(item)
        else:
            yield from _iter_timed(item, options, on_failure)


def _iter_timed(
    media: Media, options: ReadOptions, on_failure: Callable[[FrameFailure], None]
) -> Iterator[tuple[Frame, float]]:
    frames = iter_frames(media, options)
    index: int | None = None
    try:
        while True:
            start = time.perf_counter()
            frame = next_frame(media, frames, index)
            decode_ms = (time.perf_counter() - start) * 1e3
            if not isinstance(frame, Frame):
                break
            yield frame, decode_ms
            index = frame.index + 1
    finally:
        close = getattr(frames, "close", None)
        if close:
            close()
    if frame is not None:
        on_failure(frame)


def iter_chunks(frames: Iterable[tuple[Frame, float]], folder: Path) -> Iterator[Chunk]:
    """Frames in chunks of at most 256 MiB (or one picture); a chunk's file goes when the next one is asked for.

    Args:
        frames: Each with the milliseconds of its decoding.
        folder: Where the files lie meanwhile.
    """
    pending: list[tuple[Frame, float]] = []
    size, number = 0, 0
    for frame, decode_ms in frames:
        full = size + frame.bgr.nbytes > _CHUNK_BYTES or (number == 0 and len(pending) >= FIRST_CHUNK_PICTURES)
        if pending and full:
            yield from _write_chunk(pending, folder / f"pictures-{number}.bgr")
            pending, size, number = [], 0, number + 1
        pending.append((frame, decode_ms))
        size += frame.bgr.nbytes
    if pending:
        yield from _write_chunk(pending, folder / f"pictures-{number}.bgr")


def _write_chunk(frames: list[tuple[Frame, float]], path: Path) -> Iterator[Chunk]:
    infos = tuple(
        PictureInfo(f.source, f.index, f.size_hw, decode_ms, f.timestamp_s, f.warnings) for f, decode_ms in frames
    )
    chunk = Chunk(write_pictures(path, frames), infos)
    frames.clear()
    try:
        yield chunk
    finally:
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)
