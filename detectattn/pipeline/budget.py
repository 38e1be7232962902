"""How many decoded pixels are under way at once: frames are counted, and large ones are weighed as well."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator

from detectattn.pipeline.channel import Stopped, StopSignal
from detectattn.pipeline.reading import OpenFrames
from detectattn.types import Frame, FrameFailure, Media

# In all 256 MB: media that are opened ahead, frames between decoding and the writer, and frames that are written.
AHEAD_BYTES = 64 << 20
UNDER_WAY_BYTES = 128 << 20
WRITING_BYTES = 64 << 20


def count_pixel_bytes(frame: Frame) -> int:
    """Bytes of a frame's decoded pixels."""
    return frame.bgr.nbytes + (0 if frame.shown is frame.bgr else frame.shown.nbytes)


class Budget:
    """So many things may be under way at once, and so many bytes unless they are few.

    Args:
        stop: Ends every wait, by :class:`Stopped`.
        most_bytes: No more begin beyond that.
        least: So many may be under way however large they are.
        most: Things at once however small they are; None for any number.
    """

    def __init__(self, stop: StopSignal, most_bytes: int, least: int, most: int | None = None) -> None:
        self._stop = stop
        self._most_bytes = most_bytes
        self._least = least
        self._most = most
        self._count = 0
        self._held = 0
        self._changed = threading.Condition()
        stop.watch(self)

    def acquire(self, size: int) -> None:
        """Begin one of ``size`` bytes, waiting until there is room for it.

        Raises:
            Stopped: The run is stopping.
        """
        with self._changed:
            while self._is_full(size) and not self._stop.is_set():
                self._changed.wait()
            if self._stop.is_set():
                raise Stopped
            self._count += 1
            self._held += size

    def release(self, size: int) -> None:
        """One that was begun with ``size`` bytes is done."""
        with self._changed:
            self._count -= 1
            self._held -= size
            self._changed.notify_all()

    def resize(self, before: int, now: int) -> None:
        """One that was begun with ``before`` bytes turns out to have ``now``."""
        with self._changed:
            self._held += now - before
            self._changed.notify_all()

    def wake(self) -> None:
        """Let waiters look at the stop signal again."""
        with self._changed:
            self._changed.notify_all()

    def _is_full(self, size: int) -> bool:
        if self._most is not None and self._count >= self._most:
            return True
        return self._count >= self._least and self._held + size > self._most_bytes


class Ahead:
    """Bounds what is decoded of media whose turn has not come: the first frame of each.

    How large a frame is shows when it is decoded; until then it is taken to be as large as the one before it.

    Args:
        stop: Ends every wait, by :class:`Stopped`.
        least: Media that may be opened ahead however large they are.
        most_bytes: Decoded pixels of media that are opened ahead.
    """

    def __init__(self, stop: StopSignal, least: int, most_bytes: int = AHEAD_BYTES) -> None:
        self._budget = Budget(stop, most_bytes, least)
        self._expected = 0
        # Which medium takes which does not matter: each is given back once.
        self._reserved: deque[int] = deque()

    def pace(self, media: Iterable[Media | FrameFailure]) -> Iterator[Media | FrameFailure]:
        """The media, each when there is room for its first frame."""
        for item in media:
            if isinstance(item, Media):
                size = self._expected
                self._budget.acquire(size)
                self._reserved.append(size)
            yield item

    def weigh(self, open_frames: OpenFrames) -> OpenFrames:
        """``open_frames`` for media that were paced: a first frame counts until the next is asked for."""

        def open_weighed(media: Media) -> Iterator[Frame]:
            frames = open_frames(media)
            try:
                yield from self._weigh_first(frames)
                yield from frames
            finally:
                close = getattr(frames, "close", None)
                if close:
                    close()

        return open_weighed

    def _weigh_first(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        size = self._reserved.popleft()
        try:
            first = next(frames, None)
            if first is not None:
                before, size = size, count_pixel_bytes(first)
                self._expected = size
                self._budget.resize(before, size)
                yield first
        finally:
            self._budget.release(size)
