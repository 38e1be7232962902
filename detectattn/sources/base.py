"""What every source is: something that names media, and a way to open each as frames."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from detectattn.types import Frame, FrameFailure, Media


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How inputs are read.

    Attributes:
        allow_truncated: Take a picture that is cut short as far as it decodes, with a warning in its record.
        max_pixels: Refuse to decode a picture of more pixels than this.
        vid_stride: Take every n-th frame of a video or stream.
        offline: Refuse every URL.
        max_fetch_bytes: Refuse a download larger than this.
        fetch_timeout_s: Give up a download that takes longer than this in all.
        temp_dir: Where a video behind a URL is kept for the length of the run; None for the system's.
        at_least_hw: Show a network a JPEG at a half, a quarter or an eighth of its size, the smallest whose sides are
            no shorter than this; None for its full size. What the network is shown does not depend on ``in_full``.
        in_full: Whether a picture that a network is shown reduced is decoded in full beside it, for those who draw on
            it or cut out of it.
        isolation: Decodes doubtful pictures, and videos, in processes of its own; None to decode all in this one.
        on_size: Told how many pixels a picture has before they are decoded: how long that may take depends on it.
    """

    allow_truncated: bool = False
    max_pixels: int = 250_000_000
    vid_stride: int = 1
    offline: bool = False
    max_fetch_bytes: int = 2_000_000_000
    fetch_timeout_s: float = 600.0
    temp_dir: Path | None = None
    at_least_hw: tuple[int, int] | None = None
    in_full: bool = True
    isolation: Isolation | None = field(default=None, compare=False, repr=False)
    on_size: Callable[[int], None] | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class ReadCounts:
    """What a source met while it was walked; filled in as it goes.

    Attributes:
        skipped: Files that are neither images nor videos, by suffix.
        reduced: Pictures that a network was shown at a fraction of their size.
    """

    skipped: dict[str, int] = field(default_factory=dict)
    reduced: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def skip(self, path: Path) -> None:
        """Count one file that was passed over."""
        suffix = path.suffix.lower() or "(no suffix)"
        self.skipped[suffix] = self.skipped.get(suffix, 0) + 1

    def watch(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """``frames``, counted as they pass. May be called from several threads."""
        try:
            for frame in frames:
                if frame.reduced is not None:
                    with self._lock:
                        self.reduced += 1
                yield frame
        finally:
            if isinstance(frames, Generator):
                frames.close()


class Source(Protocol):
    """What the user named: a file, a folder, a pattern, a list, a URL, a stream, a camera."""

    def iter_media(self, counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        """The media it holds, lazily and in a fixed order. What cannot be opened is a failure in its place."""
        ...

    def count(self) -> int | None:
        """How many media it holds, for a progress bar; None when that cannot be known beforehand."""
        ...


class Isolation(Protocol):
    """Decodes elsewhere, where a decoder's crash does no harm; see :mod:`detectattn.sources.isolation`.

    Attributes:
        everything: Whether pictures go there that nothing speaks against, too.
    """

    everything: bool

    def iter_frames(self, media: Media, options: ReadOptions, content: bytes | None = None) -> Generator[Frame]:
        """Decode a picture or a video; ``content`` is that of a file that can be read only once."""
        ...

    def probe_video(self, path: Path) -> dict[str, Any]:
        """What a video file declares: the fields of :class:`~detectattn.sources.video.VideoInfo`."""
        ...


class FrameOpener(Protocol):
    """Opens one kind of media. A generator: closing it frees what it holds.

    Raises:
        SourceError, FetchError: When the media, or a frame of it, cannot be read.
    """

    def __call__(self, media: Media, options: ReadOptions) -> Iterator[Frame]:
        """Yield the frames in order."""
        ...
