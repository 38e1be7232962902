"""Annotated videos: H.264 MP4 with the source's sound and times, playable in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

import av.error

from detectattn.errors import WriteFailed
from detectattn.sinks.files import PendingFile, output_errors
from detectattn.sinks.media_files import video_output_name
from detectattn.sinks.mp4 import Mp4Writer
from detectattn.sinks.original import Original, open_original
from detectattn.sinks.parts import mark_part
from detectattn.types import U8, Frame, Media, Prediction

Draw = Callable[[Frame, Prediction], U8]


@contextmanager
def _video_errors(path: Path) -> Iterator[None]:
    try:
        with output_errors(path):
            yield
    except av.error.FFmpegError as error:
        raise WriteFailed(
            f"cannot encode {path}: {error.strerror}", hint="Leave annotated outputs out with --no-images"
        ) from error


# A file holds a picture for thirteen hours at most, and nobody watches a still for one.
_LONGEST_STILL_S = 600.0


@dataclass(slots=True)
class _OpenVideo:
    media: Media
    pending: PendingFile
    writer: Mp4Writer
    origin_s: float
    size_hw: tuple[int, int]
    last_s: float

    def can_take(self, frame: Frame, size_hw: tuple[int, int]) -> bool:
        """Whether a frame fits in: a stream may come back with another size, or after a long time."""
        if self.media.kind != "stream":
            return True
        return size_hw == self.size_hw and (frame.timestamp_s or 0.0) - self.last_s < _LONGEST_STILL_S

    def measure(self) -> int:
        """Bytes written so far."""
        try:
            return self.pending.temporary.stat().st_size
        except OSError:
            return 0  # not there before the first packet

    def finish(self) -> None:
        try:
            with _video_errors(self.pending.path):
                self.writer.finish()
        except BaseException:
            self.discard()
            raise
        self.pending.publish()

    def discard(self) -> None:
        self.writer.abandon()
        self.pending.discard()


class AnnotatedVideoSink:
    """Writes the frames of each video and stream, drawn on, to one MP4; pictures are passed over.

    Frames keep their times, so a stride changes how many there are and not how long they play. Sound comes from the
    first sound stream of the source file. A video is complete when a frame of another medium comes; streams are written
    side by side until :meth:`close`. When a stream changes its size, or shows nothing for ten minutes, its next frame
    begins a part: ``cam.video.mp4``, ``cam.video-00001.mp4``, …. Nothing appears under a video's name before it is
    whole; an interrupted run closes and so has each video up to there.

    Args:
        folder: The run's folder for videos.
        draw: Makes the annotated picture, u8[H, W, 3] BGR, from a frame and what was found in it.
        resume: Whether videos that an unfinished run has left may be there.
        part: The number of the first part of each stream, in its name; None for a first part without one.
    """

    parallel: ClassVar[bool] = False

    def __init__(self, folder: Path, draw: Draw, *, resume: bool = False, part: int | None = None) -> None:
        self._folder = folder
        self._resume = resume
        self._draw = draw
        self._part = part
        self._parts: dict[PurePosixPath, int] = {}
        self._videos: dict[PurePosixPath, _OpenVideo] = {}

    @property
    def size_bytes(self) -> int:
        """Of the largest video in the making, so far."""
        return max((video.measure() for video in self._videos.values()), default=0)

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Add one frame to its video.

        Raises:
            OutputExists: The video is there already.
            DiskFull: No space, or no permission.
            WriteFailed: Any other reason of the file system.
        """
        self._finish_others(frame.media)
        if frame.media.kind not in ("video", "stream"):
            return
        bgr = self._draw(frame, prediction)
        video = self._videos.get(frame.media.output)
        if video is not None and not video.can_take(frame, bgr.shape[:2]):
            self._finish([frame.media.output])
            video = None
        video = video or self._start(frame, bgr)
        video.last_s = frame.timestamp_s or 0.0
        with _video_errors(video.pending.path):
            video.writer.write(bgr, video.last_s - video.origin_s)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note: a medium's video is complete when the next one's first frame is written."""

    def close(self) -> None:
        """Complete all videos; one that fails is discarded and does not keep the others from it.

        Raises:
            OutputError: The first failure.
        """
        self._finish(list(self._videos))

    def abort(self) -> None:
        """Discard the videos that are not complete."""
        while self._videos:
            self._videos.popitem()[1].discard()

    def _start(self, frame: Frame, bgr: U8) -> _OpenVideo:
        media = frame.media
        pending = PendingFile.start(self._folder / self._choose_name(media), replace=self._resume)
        original = open_original(media.location) if isinstance(media.location, Path) else Original()
        with _video_errors(pending.path):
            writer = Mp4Writer(
                pending.temporary, bgr.shape[:2], original.rate, original.pixel_aspect, original.soundtrack
            )
        # A file's sound is on the clock of its pictures; a stream's clock starts when it is first looked at.
        origin_s = 0.0 if media.kind == "video" else frame.timestamp_s or 0.0
        video = self._videos[media.output] = _OpenVideo(media, pending, writer, origin_s, bgr.shape[:2], origin_s)
        return video

    def _choose_name(self, media: Media) -> PurePosixPath:
        """Another one for each part."""
        name = video_output_name(media.output)
        if media.kind != "stream":
            return name
        number = self._parts[media.output] + 1 if media.output in self._parts else self._part or 0
        self._parts[media.output] = number
        return name.with_name(mark_part(name.name, number)) if number or self._part is not None else name

    def _finish_others(self, media: Media) -> None:
        """Complete the videos before this medium, so that they are there when its first record is."""
        done = [key for key, video in self._videos.items() if video.media.kind == "video" and key != media.output]
        if done:
            self._finish(done)

    def _finish(self, outputs: list[PurePosixPath]) -> None:
        errors: list[Exception] = []
        for output in outputs:
            try:
                self._videos.pop(output).finish()
            except Exception as error:  # noqa: BLE001 - the others are completed first, then it is raised
                errors.append(error)
        if errors:
            raise errors[0]
