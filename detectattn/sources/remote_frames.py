"""Frames of an object in storage: a picture is read into memory, a video copied to the disk while it is used."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from detectattn.errors import DiskFull
from detectattn.fetch import FetchLimits
from detectattn.sources.base import ReadOptions
from detectattn.sources.sniff import HEAD_BYTES, MediaFormat, sniff_media
from detectattn.sources.suffixes import VIDEO_SUFFIXES
from detectattn.sources.url import MEMORY_BYTES, open_temp_dir
from detectattn.storage import StorageAddress, parse_address
from detectattn.storage.read import copy_object
from detectattn.storage.requests import read_range
from detectattn.types import Frame, Media


class _LentPath(type(Path())):  # type: ignore[misc]  # Path itself can be subclassed only from Python 3.12 on
    """The path of a temporary file that is deleted when nobody holds the path any more.

    The frames of a video do, and so does who writes its sound.
    """


def iter_object_frames(media: Media, options: ReadOptions) -> Iterator[Frame]:
    """Read an object and yield its frames. A picture costs one request; a video is copied to ``options.temp_dir``.

    Args:
        media: ``location`` is the address.
        options: ``offline``, ``max_fetch_bytes``, ``fetch_timeout_s``, ``temp_dir``, and what the decoders read.

    Raises:
        FetchError: It cannot be read: it is gone, the right is missing, or the store does not answer.
        SourceError: It is no picture or video, or cannot be decoded.
        DiskFull: The temporary folder has no room.
    """
    address = parse_address(str(media.location))
    with open_temp_dir(options) as temp_dir:
        kind, location = _read_media(address, media, options, temp_dir)
        if kind == "video":
            from detectattn.sources.video import iter_video_frames

            yield from iter_video_frames(replace(media, kind="video", location=location), options)
        else:
            from detectattn.sources.image import iter_image_frames

            yield from iter_image_frames(replace(media, kind="image", location=location), options)


def _read_media(
    address: StorageAddress, media: Media, options: ReadOptions, temp_dir: Path
) -> tuple[MediaFormat, Path | bytes]:
    """What the object is, and where it is now."""
    suffix = PurePosixPath(address.key).suffix.lower()
    promised: MediaFormat = "video" if suffix in VIDEO_SUFFIXES else "image"
    most = min(options.max_fetch_bytes, MEMORY_BYTES)
    content = read_range(address, 0, HEAD_BYTES if promised == "video" else most, offline=options.offline)
    kind = sniff_media(content[:HEAD_BYTES]) or promised
    if kind == "image" and promised == "image" and len(content) < most:
        return kind, content
    return kind, _copy(address, media, options, temp_dir)


def _copy(address: StorageAddress, media: Media, options: ReadOptions, temp_dir: Path) -> Path:
    limits = FetchLimits(max_bytes=options.max_fetch_bytes, total_s=options.fetch_timeout_s)
    try:
        with tempfile.NamedTemporaryFile(
            prefix="object-", suffix=media.output.suffix, dir=temp_dir, delete=False
        ) as stream:
            path = _LentPath(stream.name)
            weakref.finalize(path, _delete, str(path))
            copy_object(address, stream, limits, offline=options.offline)  # type: ignore[arg-type]
    except OSError as error:
        raise DiskFull(
            f"{media.source} cannot be kept in {temp_dir} ({error.strerror or error})",
            hint="Free some space there, or point TMPDIR at another folder",
        ) from error
    return path


def _delete(path: str) -> None:
    # Where a file that is open cannot be deleted, it goes with the folder when the run ends.
    with suppress(OSError):
        Path(path).unlink(missing_ok=True)
