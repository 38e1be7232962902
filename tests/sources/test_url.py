from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import av
import cv2
import numpy as np
import pytest

from detectattn.errors import (
    DetectattnError,
    DiskFull,
    FetchTooLarge,
    HttpStatus,
    LfsPointer,
    Offline,
    SourceError,
    TruncatedImage,
    UndecodableImage,
)
from detectattn.sources import iter_frames, open_source, open_sources
from detectattn.sources import url as url_module
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.url import UrlSource, iter_url_frames
from detectattn.types import Frame, FrameFailure, Media

PICTURE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
PNG = cv2.imencode(".png", PICTURE)[1].tobytes()


def _media(url: str, *, may_stream: bool = False) -> Media:
    (media,) = UrlSource(url, may_stream).iter_media(ReadCounts())
    assert isinstance(media, Media)
    return media


def _frames(url: str, *, may_stream: bool = False, **options: Any) -> list[Frame]:
    return list(iter_url_frames(_media(url, may_stream=may_stream), ReadOptions(**options)))


def _video(frames: int) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(frames):
            picture = np.full((48, 64, 3), index * 20, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))
    return target.getvalue()


@pytest.mark.parametrize(
    ("url", "source", "output"),
    [
        ("https://ultralytics.com/images/bus.jpg", "https://ultralytics.com/images/bus.jpg", "bus.jpg"),
        ("http://me:pw@cam.lan/a%20b.PNG?w=1", "http://***@cam.lan/a%20b.PNG?w=1", "a b.PNG"),
        ("https://host.example/?token=x", "https://host.example/?token=***", "host.example"),
        ("https://host.example/a%2F..%2Fb", "https://host.example/a%2F..%2Fb", "a_.._b"),
        ("https://host.example/%2e%2e", "https://host.example/%2e%2e", "_"),
    ],
)
def test_a_url_is_named_without_its_secrets(url: str, source: str, output: str) -> None:
    assert UrlSource(url).count() == 1
    media = _media(url)
    assert (media.source, media.kind, media.location, media.output) == (source, "url", url, PurePosixPath(output))


@pytest.mark.parametrize("url", ["ftp://host/a.jpg", "file:///etc/passwd", "https://", "http://[::1/a.jpg"])
def test_an_address_that_cannot_be_asked_is_a_failure_in_its_place(url: str) -> None:
    (failure,) = UrlSource(url).iter_media(ReadCounts())
    assert isinstance(failure, FrameFailure)
    assert failure.code == "forbidden-address"
    assert url in failure.message


def test_a_picture_comes_through_redirects_pixel_for_pixel(http_server: Any, tmp_path: Path) -> None:
    http_server.serve("/assets/42", PNG, content_type="application/octet-stream")
    http_server.redirect("/v2/bus.jpg", f"{http_server.url}/assets/42")
    url = http_server.redirect("/images/bus.jpg", "/v2/bus.jpg")
    (frame,) = _frames(url, temp_dir=tmp_path)
    assert np.array_equal(frame.bgr, PICTURE)
    assert (frame.source, frame.media.kind, frame.media.output) == (url, "image", PurePosixPath("bus.jpg"))
    assert list(tmp_path.iterdir()) == []


def test_a_photo_decodes_as_from_disk(http_server: Any, ultralytics_assets: Path) -> None:
    content = (ultralytics_assets / "bus.jpg").read_bytes()
    (frame,) = _frames(http_server.serve("/photo", content, content_type="text/plain"))
    assert frame.size_hw == (1080, 810)


def test_a_large_picture_goes_through_a_file_that_does_not_stay(
    http_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(url_module, "MEMORY_BYTES", 2000)
    frames = iter_url_frames(_media(http_server.serve("/a.png", PNG)), ReadOptions(temp_dir=tmp_path))
    frame = next(frames)
    assert isinstance(frame.media.location, Path)
    assert np.array_equal(frame.bgr, PICTURE)
    frames.close()
    assert list(tmp_path.iterdir()) == []


def test_a_video_is_kept_for_the_length_of_the_run(http_server: Any, tmp_path: Path) -> None:
    content = _video(7)
    url = http_server.serve("/clip.jpg", content, content_type="image/jpeg")
    frames = _frames(url, temp_dir=tmp_path, vid_stride=3)
    assert [frame.index for frame in frames] == [0, 3, 6]
    assert [frame.timestamp_s for frame in frames] == pytest.approx([0.0, 0.3, 0.6])
    assert {frame.media.kind for frame in frames} == {"video"}
    (kept,) = tmp_path.iterdir()
    assert frames[0].media.location == kept
    assert kept.read_bytes() == content


def test_without_a_folder_for_it_a_video_leaves_nothing(http_server: Any) -> None:
    (first, *_) = frames = _frames(http_server.serve("/clip.mp4", _video(3)))
    assert len(frames) == 3
    assert isinstance(first.media.location, Path)
    assert not first.media.location.parent.exists()


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[Media]:
    """What was handed on to the reader of streams."""
    taken: list[Media] = []
    monkeypatch.setattr(
        "detectattn.sources.stream.iter_stream_frames", lambda media, _options: taken.append(media) or iter(())
    )
    return taken


LIVE = [
    (b"", "multipart/x-mixed-replace; boundary=frame"),
    (b"", "application/vnd.apple.mpegurl"),
    (b"#EXTM3U\n#EXT-X-VERSION:3\n", "text/plain"),
]


@pytest.mark.parametrize(("body", "content_type"), LIVE)
def test_a_live_stream_is_handed_on(http_server: Any, handed: list[Media], body: bytes, content_type: str) -> None:
    http_server.serve("/live", body, content_type=content_type)
    url = http_server.redirect("/camera", "/live")
    assert _frames(url, may_stream=True) == []
    (media,) = handed
    # The address as it was given: each time the stream is called again, where it leads is looked at again.
    assert (media.source, media.kind, media.location) == (url, "stream", url)


@pytest.mark.parametrize(("body", "content_type"), LIVE)
def test_a_live_stream_among_other_inputs_is_a_failure(
    http_server: Any, handed: list[Media], tmp_path: Path, body: bytes, content_type: str
) -> None:
    url = http_server.serve("/folder/x.jpg", body, content_type=content_type)
    http_server.serve("/folder/", b'<a href="x.jpg">x.jpg</a>', content_type="text/html")
    (tmp_path / "list.txt").write_text(f"{url}\n")
    alone = open_source(url, ReadOptions())
    chained = open_sources([url, str(tmp_path)], ReadOptions())
    for source in (
        open_source(tmp_path / "list.txt", ReadOptions()),
        open_source(f"{http_server.url}/folder/", ReadOptions()),
        chained,
    ):
        media = next(iter(source.iter_media(ReadCounts())))
        assert isinstance(media, Media)
        with pytest.raises(SourceError, match="is a live stream, which is read only where it is all"):
            list(iter_frames(media, ReadOptions()))
    assert handed == []
    for media in alone.iter_media(ReadCounts()):
        assert isinstance(media, Media)
        assert list(iter_frames(media, ReadOptions())) == []
    assert len(handed) == 1


def test_a_redirect_does_not_make_a_stream_of_a_picture(http_server: Any, handed: list[Media]) -> None:
    http_server.serve("/live", b"", content_type="multipart/x-mixed-replace; boundary=frame")
    url = http_server.redirect("/bus.jpg", "/live")
    with pytest.raises(SourceError, match="named like a file and leads to a live stream"):
        _frames(url, may_stream=True)
    assert _frames(http_server.redirect("/cam.mjpg", "/live"), may_stream=True) == []
    assert len(handed) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "kind", "words"),
    [
        (b"<!DOCTYPE html><title>Log in</title>", "text/html", UndecodableImage, "is a web page"),
        (b"<html>", "image/jpeg", UndecodableImage, "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "text/plain", LfsPointer, "Git LFS pointer"),
        (b"%PDF-1.7", "application/pdf", UndecodableImage, "a PDF document, sent as application/pdf"),
        (b"", "image/png", UndecodableImage, "an empty file"),
        (PNG[:3000], "image/png", TruncatedImage, "/x"),
    ],
)
def test_what_is_no_picture_is_named(
    http_server: Any, body: bytes, content_type: str, kind: type[DetectattnError], words: str
) -> None:
    url = http_server.serve("/x", body, content_type=content_type)
    with pytest.raises(kind) as caught:
        _frames(url)
    assert url in caught.value.problem
    assert words in caught.value.problem


def test_a_status_a_limit_and_offline_are_errors(http_server: Any) -> None:
    url = http_server.serve("/a.png", PNG)
    with pytest.raises(HttpStatus, match="404"):
        _frames(f"{http_server.url}/nothing.png")
    with pytest.raises(FetchTooLarge):
        _frames(url, max_fetch_bytes=1000)
    before = len(http_server.requests)
    with pytest.raises(Offline):
        _frames(url, offline=True)
    assert len(http_server.requests) == before


def test_a_video_that_breaks_off_or_does_not_fit_leaves_nothing(http_server: Any, tmp_path: Path) -> None:
    content = _video(3)
    broken = http_server.serve("/broken.mp4", content[:-100], content_length=str(len(content)))
    with pytest.raises(DetectattnError, match="broke off"):
        _frames(broken, temp_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DiskFull, match="cannot be kept"):
        _frames(http_server.serve("/clip.mp4", content), temp_dir=tmp_path / "gone")
