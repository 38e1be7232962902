"""Streams over http and https lead nowhere that a download may not lead, and cost no more than they should."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from detectattn.errors import ForbiddenAddress, ImageTooLarge, StreamLost, UndecodableVideo
from detectattn.fetch import Origin, connection
from detectattn.fetch.addresses import Reach
from detectattn.sources import stream_http
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.stream import StreamSource, iter_stream_frames
from detectattn.sources.stream_http import HttpFiles
from detectattn.sources.stream_limits import StreamLimits
from detectattn.types import Frame, Media
from tests.motion_jpeg import jpeg_part, send_parts
from tests.own_certificate import use_certificate
from tests.scripted_server import ScriptedServer

QUICK = StreamLimits(open_s=2.0, read_s=2.0, first_frame_s=2.0, reconnects=1, first_pause_s=0.01)
HLS = "application/vnd.apple.mpegurl"


def watch(url: str, limits: StreamLimits = QUICK, **options: Any) -> Iterator[Frame]:
    (media,) = StreamSource(url).iter_media(ReadCounts())
    assert isinstance(media, Media)
    return iter_stream_frames(media, ReadOptions(**options), limits)


@pytest.fixture
def segment(tmp_path: Path) -> bytes:
    """A second of pictures as one part of a playlist."""
    path = tmp_path / "part.ts"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(10):
            picture = np.full((48, 64, 3), 20 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


def playlist(*names: str, head: str = "", end: str = "#EXT-X-ENDLIST\n") -> bytes:
    parts = "".join(f"#EXTINF:1,\n{name}\n" for name in names)
    return f"#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:1\n{head}{parts}{end}".encode()


def paths_of(server: ScriptedServer) -> list[str]:
    return [path for path, _ in server.requests]


@pytest.fixture
def played_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 plays a server on the internet; ``localhost`` stays what it is."""
    monkeypatch.setattr(connection, "classify_address", lambda _: Reach.PUBLIC)


@pytest.mark.usefixtures("played_public")
@pytest.mark.parametrize("inner", ["http://localhost:PORT/a.ts", "http://169.254.169.254/a.ts", "/to-inner.ts"])
@pytest.mark.parametrize("end", ["", "#EXT-X-ENDLIST\n"], ids=["live", "whole"])
def test_a_playlist_on_the_internet_leads_to_no_address_inside(
    http_server: ScriptedServer, capfd: pytest.CaptureFixture[str], inner: str, end: str
) -> None:
    inner = inner.replace("PORT", str(http_server.http.server_port))
    http_server.redirect("/to-inner.ts", f"http://localhost:{http_server.http.server_port}/a.ts")
    url = http_server.serve("/x.jpg", playlist(inner, inner, "/to-inner.ts", end=end), content_type=HLS)
    with pytest.raises(ForbiddenAddress, match="inside your network"):
        list(watch(url))
    assert "/a.ts" not in paths_of(http_server)
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("played_public")
def test_a_playlist_of_playlists_leads_to_no_address_inside(http_server: ScriptedServer) -> None:
    inner = f"http://localhost:{http_server.http.server_port}/live.m3u8"
    url = http_server.serve("/all.m3u8", f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\n{inner}\n".encode())
    with pytest.raises(ForbiddenAddress, match=r"all\.m3u8 names http://localhost"):
        list(watch(url))
    assert paths_of(http_server) == ["/all.m3u8"]


@pytest.mark.parametrize(
    ("name", "head", "error", "words"),
    [
        ("file://FOLDER/part.ts", "", ForbiddenAddress, "file: addresses are not allowed"),
        ("file:FOLDER/part.ts", "", ForbiddenAddress, "file: addresses are not allowed"),
        ("crypto+file://FOLDER/part.ts", "", UndecodableVideo, "encrypted"),
        ("concat:FOLDER/part.ts", "", StreamLost, "Invalid data"),
        ("a.ts", '#EXT-X-KEY:METHOD=AES-128,URI="key"\n', UndecodableVideo, "encrypted"),
        ("a.ts", '#EXT-X-MAP:URI="file://FOLDER/part.ts"\n', ForbiddenAddress, "file: addresses are not allowed"),
    ],
)
def test_a_playlist_leads_to_no_file(
    http_server: ScriptedServer, segment: bytes, tmp_path: Path, name: str, head: str, error: Any, words: str
) -> None:
    http_server.serve("/a.ts", segment)
    http_server.serve("/key", b"0" * 16)
    name, head = name.replace("FOLDER", str(tmp_path)), head.replace("FOLDER", str(tmp_path))
    url = http_server.serve("/live.m3u8", playlist(name, head=head), content_type=HLS)
    with pytest.raises(error, match=words):
        next(watch(url))


@pytest.mark.parametrize("text", ["ffconcat version 1.0\nfile FOLDER/part.ts\n", "v=0\nm=video 5004 RTP/AVP 26\n"])
def test_other_texts_that_name_files_are_no_streams(
    http_server: ScriptedServer, segment: bytes, tmp_path: Path, text: str
) -> None:
    body = text.replace("FOLDER", str(tmp_path)).encode()
    with pytest.raises(StreamLost):
        next(watch(http_server.serve("/live.m3u8", body, content_type=HLS)))


def test_what_ffmpeg_opens_itself_is_no_playlist(http_server: ScriptedServer, segment: bytes) -> None:
    part = http_server.serve("/a.ts", segment)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            caller, _ = listener.accept()
            with caller:
                caller.sendall(playlist(part))

        talker = threading.Thread(target=talk)
        talker.start()
        with pytest.raises(StreamLost):
            next(watch(f"tcp://127.0.0.1:{listener.getsockname()[1]}/live.m3u8"))
        talker.join()
    assert http_server.requests == []


@pytest.mark.parametrize("kind", ["MJPEG", "HLS"])
def test_certificates_of_streams_are_verified(
    http_server: ScriptedServer, certificate: Path, segment: bytes, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    url = use_certificate(http_server, certificate)
    http_server.serve("/a.ts", segment)
    http_server.serve("/HLS", playlist("a.ts"), content_type=HLS)
    http_server.routes["/MJPEG"] = show_for_ever(http_server)
    with pytest.raises(StreamLost, match=r"its certificate cannot be verified .*SSL_CERT_FILE"):
        next(watch(f"{url}/{kind}"))
    assert http_server.requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    frames = watch(f"{url}/{kind}")
    assert next(frames).size_hw == (48, 64)
    frames.close()  # type: ignore[attr-defined]  # a generator, by the protocol's word


def show_for_ever(server: ScriptedServer) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        send_parts(handler, (jpeg_part(level % 200) for level in count()), lambda _: server.stopping.wait(0.01))

    return answer


@pytest.mark.parametrize("kind", ["MJPEG", "HLS"])
def test_pictures_over_the_limit_are_refused(http_server: ScriptedServer, segment: bytes, kind: str) -> None:
    http_server.serve("/a.ts", segment)
    http_server.serve("/HLS", playlist("a.ts"), content_type=HLS)
    http_server.routes["/MJPEG"] = show_for_ever(http_server)
    with pytest.raises(ImageTooLarge, match="64×48"):
        next(watch(f"{http_server.url}/{kind}", max_pixels=64 * 48 - 1))


def test_a_picture_that_outgrows_the_limit_later_is_refused(http_server: ScriptedServer) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        parts = (jpeg_part(0, (48, 64) if number < 30 else (96, 64)) for number in count())
        send_parts(handler, parts, lambda _: http_server.stopping.wait(0.01))

    http_server.routes["/cam"] = answer
    seen: list[Frame] = []
    with pytest.raises(ImageTooLarge, match="64×96"):
        seen.extend(watch(f"{http_server.url}/cam", max_pixels=64 * 48))
    assert {frame.size_hw for frame in seen} <= {(48, 64)}


@pytest.mark.parametrize("honoured", [True, False])
def test_a_playlist_may_name_parts_of_a_file(http_server: ScriptedServer, segment: bytes, honoured: bool) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers["Range"].removeprefix("bytes=").split("-")
        first, last = (int(asked[0]), int(asked[1])) if honoured else (0, len(content) - 1)
        part = content[first : last + 1]
        handler.send_response(206 if honoured else 200)
        handler.send_header("Content-Length", str(len(part)))
        handler.end_headers()
        handler.wfile.write(part)

    content = b"\xff" * 1000 + segment + b"\xff" * 1000
    http_server.routes["/all.ts"] = answer
    head = f"#EXT-X-BYTERANGE:{len(segment)}@1000\n"
    url = http_server.serve("/live.m3u8", playlist("all.ts").replace(b"all.ts", head.encode() + b"all.ts"))
    assert list(watch(url))[-1].index == 9


def test_of_several_playlists_one_is_shown(http_server: ScriptedServer, segment: bytes) -> None:
    http_server.serve("/low/a.ts", segment)
    http_server.serve("/low/live.m3u8", playlist("a.ts"), content_type=HLS)
    http_server.redirect("/live", "/all.m3u8")
    body = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100\nlow/live.m3u8\n"
    http_server.serve("/all.m3u8", body, content_type=HLS)
    assert list(watch(f"{http_server.url}/live"))[-1].index == 9


def test_a_playlist_without_end_is_given_up(http_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_http, "_MOST_PLAYLIST_BYTES", 100_000)
    names = [f"{number}.ts" for number in range(20_000)]
    url = http_server.serve("/live.m3u8", playlist(*names), content_type=HLS)
    with pytest.raises(UndecodableVideo, match="is longer than 100,000 bytes"):
        next(watch(url))


def test_a_picture_that_drips_is_given_up(http_server: ScriptedServer) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        send_parts(handler, [jpeg_part(level) for level in range(20)], lambda _: None)
        while not http_server.stopping.wait(0.02):
            handler.wfile.write(b"x")

    http_server.routes["/cam"] = answer
    limits = StreamLimits(open_s=2, read_s=0.3, first_frame_s=2, reconnects=0)
    with pytest.raises(StreamLost, match="no answer in time"):
        list(watch(f"{http_server.url}/cam", limits))


def test_a_playlist_at_home_is_read_again_after_it_led_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may name addresses further out; what those name is held to that, and the playlist itself is not."""
    asked: list[tuple[str, Reach | None]] = []

    class Body:
        content_type, is_part = "", False

        def __init__(self, url: str, _limits: Any, *, origin: Origin | None, headers: Any) -> None:
            asked.append((url, origin and origin.reach))
            self.name = url
            self.origin = Origin(url, Reach.PUBLIC if "cdn" in url else Reach.PRIVATE, is_proxied=False)

        def peek(self, _count: int) -> bytes:
            return b"#EXTM3U" if "m3u8" in self.name else b""

        def renew(self, _limit_s: float) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr(stream_http, "LiveBody", Body)
    monkeypatch.setattr(stream_http.av, "open", lambda *_, **__: None)
    files = HttpFiles("http://nas/live.m3u8", "x", QUICK, threading.Event())
    files.open()
    for url in ("http://nas/a.ts", "http://cdn/b.ts", "http://nas/live.m3u8", "http://cdn/c.ts"):
        files._open_named(url, 1, {}).close()
    assert asked == [
        ("http://nas/live.m3u8", None),
        ("http://nas/a.ts", Reach.PRIVATE),
        ("http://cdn/b.ts", Reach.PRIVATE),
        ("http://nas/live.m3u8", Reach.PRIVATE),
        ("http://cdn/c.ts", Reach.PUBLIC),
    ]
