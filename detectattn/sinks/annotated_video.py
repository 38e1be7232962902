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


@dataclass(slots=True)
class _OpenVideo:
    media: Media
    pending: PendingFile
    writer: Mp4Writer
    origin_s: float

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
    side by side until :meth:`close`. Nothing appears under a video's name before it is whole; an interrupted run closes
    and so has each video up to there.

    Args:
        folder: The run's folder for videos.
        draw: Makes the annotated picture, u8[H, W, 3] BGR, from a frame and what was found in it.
        resume: Whether videos that an unfinished run has left may be there.
    """

    parallel: ClassVar[bool] = False

    def __init__(self, folder: Path, draw: Draw, *, resume: bool = False) -> None:
        self._folder = folder
        self._resume = resume
        self._draw = draw
        self._videos: dict[PurePosixPath, _OpenVideo] = {}

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
        video = self._videos.get(frame.media.output) or self._start(frame, bgr)
        with _video_errors(video.pending.path):
            video.writer.write(bgr, (frame.timestamp_s or 0.0) - video.origin_s)

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
        pending = PendingFile.start(self._folder / video_output_name(media.output), replace=self._resume)
        original = open_original(media.location) if isinstance(media.location, Path) else Original()
        with _video_errors(pending.path):
            writer = Mp4Writer(
                pending.temporary, bgr.shape[:2], original.rate, original.pixel_aspect, original.soundtrack
            )
        # A file's sound is on the clock of its pictures; a stream's clock starts when it is first looked at.
        origin_s = 0.0 if media.kind == "video" else frame.timestamp_s or 0.0
        video = self._videos[media.output] = _OpenVideo(media, pending, writer, origin_s)
        return video

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
