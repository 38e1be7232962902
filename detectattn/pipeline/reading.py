"""Decode and fit: from media to frames that are ready for the network, several at once, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from detectattn.errors import DetectattnError, EmptySource
from detectattn.pipeline.channel import Channel, StopSignal, Workers, wait_for
from detectattn.pipeline.detected import Unread
from detectattn.pipeline.naming import naming
from detectattn.pipeline.timeline import StageClock
from detectattn.sources.decode_messages import to_decoder_error
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


@dataclass(frozen=True, slots=True)
class FrameReader:
    """How media become frames that are ready.

    Attributes:
        open_frames: Opens one media.
        fit: Makes the network's input of a picture.
        clock: Told how long decoding and fitting took.
    """

    open_frames: OpenFrames
    fit: Fit
    clock: StageClock

    def open(self, media: Media) -> _Opened:
        """Open one, up to its first frame; one without any is a failure, so that each leaves a trace."""
        frames = self.open_frames(media)
        first = self._next_fitted(media, frames, index=None)
        if first is None:
            first = FrameFailure(media.source, None, EmptySource.code, f"{media.source} holds no picture.")
        return _Opened(media, frames, first)

    def iter_fitted(self, opened: _Opened) -> Iterator[_Fitted | FrameFailure]:
        """Its frames, and why there are no more, where it breaks off; and close it."""
        fitted = opened.first
        opened.first = None
        try:
            while isinstance(fitted, _Fitted):
                yield fitted
                fitted = self._next_fitted(opened.media, opened.frames, index=fitted.frame.index + 1)
        finally:
            close = getattr(opened.frames, "close", None)
            if close:
                close()
        if fitted is not None:
            yield fitted

    def _next_fitted(self, media: Media, frames: Iterator[Frame], index: int | None) -> _Fitted | FrameFailure | None:
        """The next frame, or why there is none, or None at the end."""
        start = time.perf_counter()
        frame = next_frame(media, frames, index)
        if frame is None or isinstance(frame, FrameFailure):
            return frame
        decoded = self.clock.end("decode", start, media.source)
        with naming(media.source):
            planes, resize = self.fit(frame.shown)
        if frame.reduced is not None:
            resize = frame.reduced.to_original(resize)
        fitted = self.clock.end("preprocess", decoded, media.source)
        return _Fitted(frame, planes, resize, (decoded - start) * 1e3, (fitted - decoded) * 1e3)


def feed_media(
    media: Iterable[Media | FrameFailure],
    reader: FrameReader,
    workers: Workers,
    pending: Channel[Future[_Opened] | FrameFailure],
) -> None:
    """Open media on the workers, in order; ``pending`` bounds how far ahead of the reader that runs."""
    for item in media:
        if isinstance(item, FrameFailure):
            pending.put(item)
        else:
            pending.put(workers.submit(reader.open, item))
    pending.close()


def iter_ready_frames(
    pending: Channel[Future[_Opened] | FrameFailure], reader: FrameReader, stop: StopSignal
) -> Iterator[ReadyFrame | Unread]:
    """Frames, and what cannot be read in its place among them, in the order of the input."""
    order = 0
    for item in pending:
        if isinstance(item, FrameFailure):
            yield Unread(order, None, item)
            order += 1
            continue
        opened = wait_for(item, stop)
        for fitted in reader.iter_fitted(opened):
            yield _number(order, opened.media, fitted)
            order += 1


def _number(order: int, media: Media, fitted: _Fitted | FrameFailure) -> ReadyFrame | Unread:
    if isinstance(fitted, FrameFailure):
        return Unread(order, media, fitted)
    return ReadyFrame(order, fitted.frame, fitted.planes, fitted.resize, fitted.decode_ms, fitted.preprocess_ms)


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
        broken = to_decoder_error(media.source, error)
        return FrameFailure(media.source, index, broken.code, str(broken))
