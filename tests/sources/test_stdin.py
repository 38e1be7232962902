"""Standard input: a picture, or paths as they arrive."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest
from PIL import Image

from detectattn.errors import EmptySource, SourceError
from detectattn.sources import ReadCounts, ReadOptions, iter_frames, open_source, open_sources
from detectattn.types import FrameFailure, Media

OPTIONS = ReadOptions()


def feed(content: bytes) -> list[Media | FrameFailure]:
    return list(open_source("-", OPTIONS, stdin=io.BytesIO(content)).iter_media(ReadCounts()))


def picture(picture_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), "red").save(buffer, picture_format)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.png", "BMW.png", "new\nline.png", "Photo.png", "P6 x.png"):
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("picture_format", "output"),
    [
        ("JPEG", "stdin.jpg"),
        ("PNG", "stdin.png"),
        ("GIF", "stdin.gif"),
        ("BMP", "stdin.bmp"),
        ("PPM", "stdin.pnm"),
        ("WEBP", "stdin.webp"),
        ("TIFF", "stdin.tif"),
        ("AVIF", "stdin.avif"),
    ],
)
def test_a_picture(picture_format: str, output: str) -> None:
    (media,) = feed(picture(picture_format))
    assert isinstance(media, Media)
    assert (media.source, media.kind, str(media.output)) == ("-", "image", output)
    (frame,) = iter_frames(media, OPTIONS)
    assert frame.size_hw == (24, 32)


def test_a_picture_that_arrives_in_drops() -> None:
    class Drops(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            return super().read1(1)

    for picture_format in ("JPEG", "PPM", "GIF", "BMP", "PNG"):
        source = open_source("-", OPTIONS, stdin=Drops(picture(picture_format)))
        (media,) = source.iter_media(ReadCounts())
        assert isinstance(media, Media)
        assert len(list(iter_frames(media, OPTIONS))) == 1


@pytest.mark.usefixtures("folder")
def test_paths_one_a_line() -> None:
    media = feed(b"\xef\xbb\xbfa.png\r\n\n# no\nmissing.png\nBMW.png\nPhoto.png\nP6 x.png")
    assert [(one.source, type(one)) for one in media] == [
        ("a.png", Media),
        ("missing.png", FrameFailure),
        ("BMW.png", Media),
        ("Photo.png", Media),
        ("P6 x.png", Media),
    ]


@pytest.mark.usefixtures("folder")
def test_paths_separated_by_nul_are_verbatim() -> None:
    media = feed(b"new\nline.png\0a.png\0")
    assert [(one.source, type(one)) for one in media] == [("new\nline.png", Media), ("a.png", Media)]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("first", ["a.png", "BMW.png", "Photo.png", "P6 x.png"])
def test_a_list_is_read_as_it_arrives(first: str) -> None:
    """The first path is there before the writer sends the second: nothing waits for the end of the input."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stdin, os.fdopen(writing, "wb", buffering=0) as pipe:
        media = open_source("-", OPTIONS, stdin=stdin).iter_media(ReadCounts())
        padding = b"" if first in {"a.png", "Photo.png"} else b"# a line that makes clear that this is text\n"
        pipe.write(os.fsencode(first) + b"\n" + padding)
        watchdog = threading.Timer(20, pipe.close)
        watchdog.start()
        assert next(media).source == first
        watchdog.cancel()
        pipe.write(b"missing.png\n")
        assert isinstance(next(media), FrameFailure)


def test_beside_other_sources(folder: Path) -> None:
    source = open_sources([str(folder / "a.png"), "-"], OPTIONS, stdin=io.BytesIO(b"Photo.png\na.png\n"))
    assert [one.source for one in source.iter_media(ReadCounts())] == [str(folder / "a.png"), "Photo.png"]
    assert source.count() is None


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"", EmptySource, "standard input is empty"),
        (b"%PDF-1.7\n%\xe2\xe3", SourceError, "it is a PDF document"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", SourceError, "it is a video"),
        (b"\x01\x02\x03\x04" * 100, SourceError, "neither a picture nor a list"),
        (b"x" * 200_000, SourceError, "without a line end"),
    ],
)
def test_what_is_neither(content: bytes, error: type[SourceError], says: str) -> None:
    with pytest.raises(error, match=says):
        feed(content)
