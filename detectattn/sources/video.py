"""Video files: every frame upright, in its own colours and at its own time, as far as the file decodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error

from detectattn.errors import LfsPointer, SourceNotFound, UndecodableVideo
from detectattn.sources.base import Isolation, ReadOptions
from detectattn.sources.doubtful import is_own_file
from detectattn.sources.recognise import is_special
from detectattn.sources.sniff import HEAD_BYTES, LFS_PREFIX, describe_content
from detectattn.sources.video_decoding import Decoding
from detectattn.sources.video_formats import FILE_FORMATS
from detectattn.sources.video_picture import Clock, PictureConverter, check_size, compute_rotation_deg, display_matrix
from detectattn.types import Frame, Media

_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": FILE_FORMATS}


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video file declares; cheap to know before it is read.

    Attributes:
        size_hw: Height and width in pixels, upright.
        rotation_deg: Clockwise turn that brings the stored pictures upright: 0, 90, 180, 270.
        fps: Mean frames per second, or None when it cannot be told.
        frames: Number of frames, exact or estimated from duration and rate, or None.
        duration_s: Length in seconds, or None.
        codec: Name of the video codec.
        audio_codec: Name of the sound's codec, or None for a silent file.
        pixel_aspect: Width of a pixel over its height; 1 for square ones.
    """

    size_hw: tuple[int, int]
    rotation_deg: int
    fps: float | None
    frames: int | None
    duration_s: float | None
    codec: str
    audio_codec: str | None
    pixel_aspect: float


def probe_video(path: Path, isolation: Isolation | None = None) -> VideoInfo:
    """What the file at ``path`` declares; one frame is decoded to know its rotation.

    Args:
        path: The file.
        isolation: Where that is done; None for here.

    Raises:
        SourceNotFound, UndecodableVideo, LfsPointer: As :func:`iter_video_frames`.
        DecoderCrashed, DecoderHung: It did that to the process that decodes it.
    """
    if isolation is not None and not is_own_file(path):
        return VideoInfo(**isolation.probe_video(path))
    with _open_container(path, str(path)) as container:
        stream = _find_video_stream(container, str(path))
        first = next((picture for picture, _ in Decoding(container, stream).iter_pictures()), None)
        if first is None:
            raise _nothing_decodes(str(path))
        rotation_deg = compute_rotation_deg(display_matrix(first))
        height, width = first.height, first.width
        fps = stream.average_rate or stream.guessed_rate
        duration_s = _duration_s(container, stream)
        estimate = round(duration_s * float(fps)) if duration_s and fps else None
        audio = container.streams.best("audio")
        aspect = stream.sample_aspect_ratio
        return VideoInfo(
            size_hw=(width, height) if rotation_deg in (90, 270) else (height, width),
            rotation_deg=rotation_deg,
            fps=float(fps) if fps else None,
            frames=stream.frames or estimate,
            duration_s=duration_s,
            codec=stream.codec_context.codec.canonical_name,
            audio_codec=audio.codec_context.codec.canonical_name if audio and audio.codec_context else None,
            pixel_aspect=float(aspect) if aspect else 1.0,
        )


def iter_video_frames(media: Media, options: ReadOptions) -> Iterator[Frame]:
    """Yield the frames of a video file in order of presentation; closing the generator frees the decoder.

    Frames are upright (display matrix), timed from the first one, every ``vid_stride``-th of those that decode. Damage
    that the decoder gets over is told in the ``warnings`` of the next frame.

    Raises:
        SourceNotFound: There is no such file.
        LfsPointer: The file is a Git LFS pointer.
        ImageTooLarge: A picture has more pixels than ``options.max_pixels``.
        UndecodableVideo: It cannot be opened, has no pictures, or breaks off (after the frames so far were yielded).
        DecoderCrashed, DecoderHung: It did that to the process that decodes it (after the frames so far were yielded).
    """
    if not isinstance(media.location, Path):
        raise TypeError(f"a video is read from a path, got {type(media.location).__name__}")
    if options.isolation is not None and not is_own_file(media.location):
        yield from options.isolation.iter_frames(media, options)
        return
    with _open_container(media.location, media.source) as container:
        stream = _find_video_stream(container, media.source)
        check_size(stream.codec_context, f"video {media.source!r}", options.max_pixels)
        stream.thread_type = "AUTO"
        decoding = Decoding(container, stream)
        converter, clock = PictureConverter(), Clock(stream.time_base, stream.guessed_rate)
        time_s, index, warnings = 0.0, -1, []
        for index, (picture, damage) in enumerate(decoding.iter_pictures()):
            time_s = clock.place(picture.pts, picture.duration)
            warnings += damage
            if index % options.vid_stride:
                continue
            check_size(picture, f"video {media.source!r}", options.max_pixels)
            yield Frame(media, index, converter.to_bgr(picture), time_s, tuple(warnings))
            warnings = []
        if index < 0:
            raise _nothing_decodes(media.source)
        if reason := decoding.explain_break():
            raise UndecodableVideo(
                f"video {media.source!r} breaks off after frame {index} at {time_s:.2f} s: {reason}",
                hint="The frames before are done; copy or record the file again for the rest",
            )


def _open_container(path: Path, source: str) -> Any:
    if path.exists() and not path.is_dir() and is_special(path):
        problem = f"video {source!r} is no regular file, and a video is read more than once"
        raise UndecodableVideo(problem, hint="Copy it into a file and name that")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError:
        raise SourceNotFound(f"there is no video {source!r}", hint="Check the path") from None
    except OSError as error:
        raise UndecodableVideo(
            f"video {source!r} cannot be read: {error.strerror}", hint="Check that it is a file you may read"
        ) from None
    if head.startswith(LFS_PREFIX):
        raise LfsPointer(f"{source!r} is a Git LFS pointer, not the video itself", hint="Run `git lfs pull`")
    if not head:
        raise UndecodableVideo(f"video {source!r} is empty (0 bytes)", hint="Copy it again")
    try:
        # The protocol is named so that a colon in a file's name is not taken for one.
        return av.open(f"file:{path}", options=_OPTIONS, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise _unopenable(source, head, error) from None


def _unopenable(source: str, head: bytes, error: av.error.FFmpegError) -> UndecodableVideo:
    if head[4:8] == b"ftyp":
        return UndecodableVideo(
            f"video {source!r} was cut short: its index, which an MP4 or MOV file keeps at its end, is missing",
            hint="Copy or record it again; a repair tool can rebuild the index from a whole file of the same camera",
        )
    seen = describe_content(head)
    known = seen == "a video" or seen.startswith("of no picture format")
    reason = error.strerror if known else f"it is {seen}"
    return UndecodableVideo(
        f"video {source!r} cannot be opened: {reason}",
        hint="Check that it plays elsewhere; convert it to MP4 if it does",
    )


def _find_video_stream(container: Any, source: str) -> Any:
    stream = container.streams.best("video")
    # A picture attached to music (cover art) is no video.
    if stream is None or int(stream.disposition) & int(av.stream.Disposition.attached_pic):
        held = " (it holds sound only)" if container.streams.audio else ""
        raise UndecodableVideo(f"{source!r} has no video in it{held}", hint="Name a file with moving pictures")
    if stream.codec_context is None:
        raise UndecodableVideo(
            f"video {source!r} uses a codec that is not known here", hint="Convert it to H.264, for example"
        )
    return stream


def _nothing_decodes(source: str) -> UndecodableVideo:
    return UndecodableVideo(
        f"no frame of video {source!r} can be decoded", hint="Check that it plays elsewhere; it may be damaged"
    )


def _duration_s(container: Any, stream: Any) -> float | None:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None
