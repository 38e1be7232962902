"""Sources of one medium: a file, a URL, a stream, a camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from detectattn.errors import SourceError
from detectattn.sources.base import ReadCounts, Source
from detectattn.sources.naming import to_one_line, to_output_name, to_record_name
from detectattn.sources.recognise import SourceRequest, identify_file
from detectattn.sources.suffixes import VIDEO_SUFFIXES
from detectattn.types import FrameFailure, Media, MediaKind


@dataclass(frozen=True, slots=True)
class SingleSource:
    """One medium."""

    media: Media

    def iter_media(self, counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        """Yield it."""
        yield self.media

    def count(self) -> int:
        """One."""
        return 1


def open_file(request: SourceRequest) -> SingleSource:
    """An image or a video file, named as it was given; its output is its base name."""
    output = PurePosixPath(to_output_name(request.path.name))
    return SingleSource(to_file_media(request.path, to_record_name(request.text), output))


def open_url(request: SourceRequest) -> Source:
    """A picture or a video behind a URL; its output is the last segment of the path, or the host.

    What ends with a slash may be the page on which a server lists a folder.
    """
    from detectattn.sources.url import UrlSource

    if request.text.endswith("/"):
        from detectattn.sources.web_folder import open_web_folder

        return open_web_folder(request)

    return UrlSource(request.text, may_stream=request.alone)


def open_stream(request: SourceRequest) -> Source:
    """A network stream, the one source of a run.

    Raises:
        SourceError: It is one of several.
    """
    from detectattn.sources.stream import StreamSource

    _require_alone(request)
    return StreamSource(request.text)


def open_camera(request: SourceRequest) -> Source:
    """A camera by its index, or by its device's path (``/dev/video0``), the one source of a run.

    Raises:
        SourceError: It is one of several.
    """
    from detectattn.sources.stream import StreamSource

    _require_alone(request)
    return StreamSource(int(request.text.removeprefix("/dev/video")))


def _require_alone(request: SourceRequest) -> None:
    if not request.alone:
        from detectattn.fetch import redact_url

        name = to_one_line(redact_url(request.text))
        raise SourceError(
            f"{name} is read for as long as it lasts, and what comes after it would never have its turn",
            hint="Give each stream and each camera a run of its own",
        )


def to_file_media(path: Path, source: str, output: PurePosixPath) -> Media:
    """A file as media: by its first bytes, or by its suffix where they do not tell."""
    kind: MediaKind = "video" if path.suffix.lower() in VIDEO_SUFFIXES else "image"
    return Media(source, identify_file(path) or kind, path, output)
