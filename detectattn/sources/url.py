"""A picture or a video behind an http or https address, recognised by its bytes and not by its name."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath

from detectattn.errors import DetectattnError, DiskFull, ForbiddenAddress, LfsPointer, SourceError, UndecodableImage
from detectattn.fetch import FetchLimits, OpenedBody, check_scheme, open_body, redact_url
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.naming import to_one_line, to_url_output_name
from detectattn.sources.sniff import (
    HEAD_BYTES,
    LFS_PREFIX,
    MOTION_JPEG_TYPE,
    PLAYLIST_START,
    MediaFormat,
    describe_content,
    sniff_media,
)
from detectattn.sources.suffixes import MEDIA_SUFFIXES
from detectattn.storage import is_storage_url
from detectattn.types import Frame, FrameFailure, Media

MEMORY_BYTES = 32_000_000
"""A picture up to this size stays in memory, a larger one and every video goes to a temporary file."""

_PLAYLIST_TYPES = ("application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl")
_STREAM_TYPES = frozenset({MOTION_JPEG_TYPE, *_PLAYLIST_TYPES})
_FILE_SUFFIXES = MEDIA_SUFFIXES - {".mjpg", ".mjpeg"}


@dataclass(frozen=True, slots=True)
class UrlSource:
    """One http or https address, named by the user; it may lie on a private network.

    Attributes:
        url: As typed.
        may_stream: Whether it may be a live stream; see :class:`~detectattn.types.Media`.
    """

    url: str
    may_stream: bool = False

    def iter_media(self, counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        """The one address, not asked yet. Passwords and tokens stay out of the name that records carry."""
        source = to_one_line(redact_url(self.url))
        try:
            check_scheme(self.url)
            output = PurePosixPath(to_url_output_name(self.url))
        except DetectattnError as error:
            yield FrameFailure(source, None, error.code, str(error))
        except ValueError as error:
            refused = ForbiddenAddress(f"{source} is not a usable address ({error})", hint="Check its spelling")
            yield FrameFailure(source, None, refused.code, str(refused))
        else:
            yield Media(source, "url", self.url, output, self.may_stream)

    def count(self) -> int:
        """Always one."""
        return 1


def iter_url_frames(media: Media, options: ReadOptions) -> Iterator[Frame]:
    """Fetch what is behind a URL, or in object storage, and yield its frames.

    A picture is decoded from memory. A video is downloaded to ``options.temp_dir`` and stays there, for its sound is
    needed until the run ends. A live stream (MJPEG, HLS) is handed on to the reader of streams, where it may be one.

    Args:
        media: ``location`` is the URL.
        options: ``offline``, ``max_fetch_bytes``, ``fetch_timeout_s``, ``temp_dir``, and what the decoders read.

    Raises:
        FetchError: It cannot be fetched.
        SourceError: It is no picture or video, is a live stream that may not be one, or cannot be decoded.
        DiskFull: The temporary folder has no room.
    """
    if is_storage_url(str(media.location)):
        from detectattn.sources.remote_frames import iter_object_frames

        yield from iter_object_frames(media, options)
        return
    with open_temp_dir(options) as temp_dir:
        kind, location = _fetch_media(str(media.location), media, options, temp_dir)
        if location is None:
            from detectattn.sources.stream import iter_stream_frames

            yield from iter_stream_frames(replace(media, kind="stream"), options)
        elif kind == "video":
            from detectattn.sources.video import iter_video_frames

            yield from iter_video_frames(replace(media, kind="video", location=location), options)
        else:
            from detectattn.sources.image import iter_image_frames

            try:
                yield from iter_image_frames(replace(media, kind="image", location=location), options)
            finally:
                if isinstance(location, Path):
                    location.unlink(missing_ok=True)


@contextmanager
def open_temp_dir(options: ReadOptions) -> Iterator[Path]:
    """The folder for what is copied here: that of the options, or one that is deleted at the block's end."""
    if options.temp_dir is not None:
        yield options.temp_dir
        return
    with tempfile.TemporaryDirectory(prefix="detectattn-") as folder:
        yield Path(folder)


def _fetch_media(
    url: str, media: Media, options: ReadOptions, temp_dir: Path
) -> tuple[MediaFormat, Path | bytes | None]:
    """What the URL holds and where it is now: in memory, in a file, or still there as a stream (None)."""
    limits = FetchLimits(max_bytes=options.max_fetch_bytes, total_s=options.fetch_timeout_s)
    with open_body(url, limits, offline=options.offline) as body:
        is_stream = body.content_type in _STREAM_TYPES
        head = b"" if is_stream else _read_up_to(body.chunks, HEAD_BYTES)
        if is_stream or head.startswith(PLAYLIST_START):
            _require_stream(media, body)
            return "video", None
        kind = sniff_media(head)
        if kind is None:
            raise _explain_other_content(media.source, body, head)
        if kind == "image":
            head += _read_up_to(body.chunks, MEMORY_BYTES - len(head))
            if len(head) < MEMORY_BYTES:
                return kind, head
        return kind, _save(chain([head], body.chunks), temp_dir, media)


def _require_stream(media: Media, body: OpenedBody) -> None:
    """Refuse a live stream where none was asked for: it has no end.

    Raises:
        SourceError: It was one input among others, or what is named like a file led to it.
    """
    if not media.may_stream:
        raise SourceError(
            f"{media.source} is a live stream, which is read only where it is all that is to be read, and read once",
            hint="Give its address by itself to predict, or record a part of it to a file",
        )
    if body.is_redirected and media.output.suffix.lower() in _FILE_SUFFIXES:
        where = to_one_line(redact_url(body.final_url))
        raise SourceError(
            f"{media.source} is named like a file and leads to a live stream, {where}",
            hint="Give that address by itself if the stream is what you want",
        )


def _read_up_to(chunks: Iterator[bytes], count: int) -> bytes:
    """The next chunks until there are ``count`` bytes or more; fewer where the body ends."""
    parts, size = list[bytes](), 0
    while size < count and (chunk := next(chunks, None)) is not None:
        parts.append(chunk)
        size += len(chunk)
    return b"".join(parts)


def _save(chunks: Iterator[bytes], temp_dir: Path, media: Media) -> Path:
    try:
        with tempfile.NamedTemporaryFile(
            prefix="url-", suffix=media.output.suffix, dir=temp_dir, delete=False
        ) as stream:
            path = Path(stream.name)
            try:
                for chunk in chunks:
                    stream.write(chunk)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise DiskFull(
            f"{media.source} cannot be kept in {temp_dir} ({error.strerror or error})",
            hint="Free some space there, or point TMPDIR at another folder",
        ) from error
    return path


def _explain_other_content(source: str, body: OpenedBody, head: bytes) -> UndecodableImage:
    if head.startswith(LFS_PREFIX):
        return LfsPointer(
            f"{source} is a Git LFS pointer, not the file itself",
            hint="Use the address of the file itself; on GitHub that is the download link",
        )
    what = describe_content(head)
    if what == "an HTML page":
        return UndecodableImage(
            f"{source} is a web page, not a picture or video",
            hint="Open it in a browser and use the address of the picture itself",
        )
    claimed = f", sent as {body.content_type}" if body.content_type else ""
    return UndecodableImage(
        f"{source} is no picture or video: it is {what}{claimed}", hint="Check that the address is that of a picture"
    )
