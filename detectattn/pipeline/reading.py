"""Decode and fit: from media to frames that are ready for the network, several at once, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from detectattn.errors import DetectattnError
from detectattn.pipeline.channel import Channel, StopSignal, Workers, wait_for
from detectattn.types import F32, U8, Frame, FrameFailure, Media, Resize

OpenFrames = Callable[[Media], Iterator[Frame]]
Fit = Callable[[U8], tuple[F32, Resize]]


@dataclass(frozen=True, slots=True, eq=False)
class ReadyFrame:
    """A frame, decoded and fitted.

    Attributes:
        order: Its place in the run, from 0.
        frame: The frame.
        planes: f32[3, h, w], the network's input.
        resize: How it was fitted.
        decode_ms: What decoding took.
        preprocess_ms: What fitting took.
    """

    order: int
    frame: Frame
    planes: F32
    resize: Resize
    decode_ms: float
    preprocess_ms: float


@dataclass(slots=True)
class _Opened:
    """A media that is being read: its first item is there already, the rest comes from ``frames``."""

    media: Media
    frames: Iterator[Frame]
    first: _Fitted | FrameFailure | None


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    frame: Frame
    planes: F32
    resize: Resize
    decode_ms: float
    preprocess_ms: float


def feed_media(
    media: Iterable[Media | FrameFailure],
    open_frames: OpenFrames,
    fit: Fit,
    workers: Workers,
    pending: Channel[Future[_Opened] | FrameFailure],
) -> None:
    """Open media on the workers, in order; ``pending`` bounds how far ahead of the reader that runs."""
    for item in media:
        if isinstance(item, FrameFailure):
            pending.put(item)
        else:
            pending.put(workers.submit(_open, item, open_frames, fit))
    pending.close()


def iter_ready_frames(
    pending: Channel[Future[_Opened] | FrameFailure],
    fit: Fit,
    stop: StopSignal,
    on_failure: Callable[[FrameFailure], None],
) -> Iterator[ReadyFrame]:
    """Frames in the order of the input. What cannot be read goes to ``on_failure``; the others go on."""
    order = 0
    for item in pending:
        if isinstance(item, FrameFailure):
            on_failure(item)
            continue
        for fitted in _iter_fitted(wait_for(item, stop), fit, on_failure):
            yield ReadyFrame(order, fitted.frame, fitted.planes, fitted.resize, fitted.decode_ms, fitted.preprocess_ms)
            order += 1


def _open(media: Media, open_frames: OpenFrames, fit: Fit) -> _Opened:
    frames = open_frames(media)
    return _Opened(media, frames, _next_fitted(media, frames, fit, index=None))


def _iter_fitted(opened: _Opened, fit: Fit, on_failure: Callable[[FrameFailure], None]) -> Iterator[_Fitted]:
    fitted = opened.first
    opened.first = None
    try:
        while isinstance(fitted, _Fitted):
            yield fitted
            fitted = _next_fitted(opened.media, opened.frames, fit, index=fitted.frame.index + 1)
    finally:
        close = getattr(opened.frames, "close", None)
        if close:
            close()
    if fitted is not None:
        on_failure(fitted)


def _next_fitted(media: Media, frames: Iterator[Frame], fit: Fit, index: int | None) -> _Fitted | FrameFailure | None:
    """The next frame, or why there is none, or None at the end."""
    start = time.perf_counter()
    frame = next_frame(media, frames, index)
    if frame is None or isinstance(frame, FrameFailure):
        return frame
    decoded = time.perf_counter()
    planes, resize = fit(frame.bgr)
    fitted = time.perf_counter()
    return _Fitted(frame, planes, resize, (decoded - start) * 1e3, (fitted - decoded) * 1e3)


def next_frame(media: Media, frames: Iterator[Frame], index: int | None) -> Frame | FrameFailure | None:
    """The next frame of a medium, or why there is none, or None at the end; nothing that a decoder does gets out.

    Args:
        media: Where the frames are from.
        frames: As they are decoded.
        index: Of the next frame, for the failure; None for the first.
    """
    try:
        return next(frames, None)
    except DetectattnError as error:
        return FrameFailure(media.source, index, error.code, str(error))
    except Exception as error:  # noqa: BLE001 - decoders raise anything on hostile bytes; it must not cost the others
        reason = f"{media.source} broke its decoder ({type(error).__name__}: {error})"
        return FrameFailure(media.source, index, "decoder-error", f"{reason}. Look at the file with another program.")
