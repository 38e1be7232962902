"""Streams: real servers on the loopback, dead ones, and cameras that are not there."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

import av
import cv2
import numpy as np
import pytest

from detectattn.errors import Offline, StreamLost, UndecodableVideo
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.stream import StreamSource, iter_stream_frames, name_stream_output
from detectattn.sources.stream_limits import StreamLimits
from detectattn.sources.stream_mailbox import Mailbox, Shot
from detectattn.types import Frame, Media
from tests.motion_jpeg import jpeg_part, send_parts

QUICK = StreamLimits(open_s=1.0, read_s=1.0, first_frame_s=1.0, reconnects=2, first_pause_s=0.01)


def unreachable(reason: str) -> StreamLost:
    return StreamLost(reason, hint="none")


def media_of(location: str | int) -> Media:
    (media,) = StreamSource(location).iter_media(ReadCounts())
    assert isinstance(media, Media)
    return media


def watch(location: str | int, limits: StreamLimits = QUICK, **options: Any) -> Iterator[Frame]:
    return iter_stream_frames(media_of(location), ReadOptions(**options), limits)


def reader_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "stream-reader"]


def serve_mjpeg(server: Any, path: str, levels: Iterator[int] | range, pause: Callable[[int], object]) -> str:
    """A camera's MJPEG page; ``pause`` is called after each picture with its number."""

    def answer(handler: Any) -> None:
        send_parts(handler, (jpeg_part(level, (120, 160)) for level in levels), pause)

    server.routes[path] = answer
    return f"{server.url}{path}"


def test_mjpeg_frames_come_in_order_on_the_wall_clock_and_closing_stops_the_reader(http_server: Any) -> None:
    url = serve_mjpeg(http_server, "/cam", range(250), lambda _: http_server.stopping.wait(0.01))
    frames = watch(url)
    started_s = time.monotonic()
    seen = [next(frames) for _ in range(20)]
    elapsed_s = time.monotonic() - started_s
    frames.close()  # type: ignore[attr-defined]  # a generator, by the protocol's word
    assert reader_threads() == []
    assert [round(frame.bgr.mean()) for frame in seen] == pytest.approx([frame.index for frame in seen], abs=2)
    indices, times_s = [frame.index for frame in seen], [frame.timestamp_s or 0.0 for frame in seen]
    assert indices == sorted(set(indices))
    assert times_s[0] == 0
    assert times_s == sorted(times_s)
    assert 0.1 < times_s[-1] <= elapsed_s
    assert seen[0].size_hw == (120, 160)


def test_only_the_newest_frame_is_kept_and_the_others_are_counted() -> None:
    mailbox = Mailbox()
    mailbox.note_open()
    for index in range(4):
        mailbox.put(Shot(index, lambda: np.zeros((1, 1, 3), np.uint8), index / 25, (f"about {index}",)))
    newest = mailbox.take(QUICK, unreachable)
    assert newest is not None
    assert (newest.index, mailbox.dropped) == (3, 3)
    assert newest.warnings == ("about 0", "about 1", "about 2", "about 3")
    mailbox.end(None)
    assert mailbox.take(QUICK, unreachable) is None


def test_a_stride_takes_every_nth_frame(http_server: Any) -> None:
    url = serve_mjpeg(http_server, "/cam", range(200), lambda _: http_server.stopping.wait(0.002))
    frames = watch(url, vid_stride=4)
    assert all(next(frames).index % 4 == 0 for _ in range(5))
    frames.close()  # type: ignore[attr-defined]  # a generator, by the protocol's word


def test_a_stream_that_breaks_off_is_opened_again_and_says_so(http_server: Any) -> None:
    url = serve_mjpeg(http_server, "/cam", range(25), lambda _: None)
    frames = watch(url)
    warned = next(frame for frame in frames if frame.warnings)
    frames.close()  # type: ignore[attr-defined]  # a generator, by the protocol's word
    assert "opened again" in warned.warnings[0]
    assert len(http_server.requests) >= 2


def test_a_stream_that_does_not_come_back_is_lost(http_server: Any) -> None:
    def pause(number: int) -> None:
        if number == 0:
            http_server.routes["/cam"] = lambda handler: handler.send_error(404)

    url = serve_mjpeg(http_server, "/cam", range(25), pause)
    with pytest.raises(StreamLost, match=r"went away after .* frames and did not come back"):
        list(watch(url))
    assert reader_threads() == []


def test_a_playlist_that_ends_ends_the_stream(http_server: Any, clips: Any) -> None:
    segment = clips.make("part.ts", frames=30).read_bytes()
    http_server.serve("/part.ts", segment, content_type="video/mp2t")
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.2,\npart.ts\n#EXT-X-ENDLIST\n"
    url = http_server.serve("/live.m3u8", playlist, content_type="application/vnd.apple.mpegurl")
    frames = list(watch(url))
    assert frames
    assert [clips.read_number(frame.bgr) for frame in frames] == [frame.index for frame in frames]
    assert frames[-1].index == 29


def test_mpegts_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stop = threading.Event()
    sender = threading.Thread(target=send_mpegts, args=(f"udp://127.0.0.1:{port}?pkt_size=1316", stop), daemon=True)
    sender.start()
    frames = watch(f"udp://127.0.0.1:{port}", limits=StreamLimits(open_s=8, read_s=5))
    seen = [next(frames) for _ in range(3)]
    frames.close()  # type: ignore[attr-defined]  # a generator, by the protocol's word
    stop.set()
    sender.join()
    assert {frame.size_hw for frame in seen} == {(120, 160)}
    assert reader_threads() == []


def send_mpegts(url: str, stop: threading.Event) -> None:
    with av.open(url, "w", format="mpegts") as container:
        options = {"preset": "ultrafast", "tune": "zerolatency", "g": "5"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(1000):
            picture = av.VideoFrame.from_ndarray(np.full((120, 160, 3), number % 256, np.uint8), "bgr24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
            if stop.wait(0.01):
                return


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtmp"])
def test_a_refused_connection_is_told_at_once(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(StreamLost, match="Connection refused") as caught:
        list(watch(f"{scheme}://admin:secret@127.0.0.1:{port}/live"))
    assert "secret" not in str(caught.value)
    assert "rtsp://user:password@host/path" in caught.value.hint


def test_an_rtsp_camera_is_asked_to_play() -> None:
    asked: list[str] = []
    session = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track1\r\n"
    answers = {
        "OPTIONS": (b"Public: DESCRIBE, SETUP, PLAY\r\n", b""),
        "DESCRIBE": (b"Content-Type: application/sdp\r\n", session),
        "SETUP": (b"Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", b""),
        "PLAY": (b"Session: 1\r\n", b""),
    }

    def talk(listener: socket.socket) -> None:
        caller, _ = listener.accept()
        with caller, caller.makefile("rb") as lines:
            while "PLAY" not in asked and (line := lines.readline()):
                head = dict(field.split(b": ", 1) for field in iter(lines.readline, b"\r\n"))
                asked.append(line.split()[0].decode())
                fields, body = answers[asked[-1]]
                number = head[b"CSeq"]
                sized = b"Content-Length: %d\r\n\r\n" % len(body)
                caller.sendall(b"RTSP/1.0 200 OK\r\nCSeq: " + number + fields + sized + body)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        camera = threading.Thread(target=talk, args=(listener,), daemon=True)
        camera.start()
        with pytest.raises(StreamLost):
            next(watch(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live"))
        camera.join(5)
    assert asked == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_server_that_never_answers_is_given_up(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started_s = time.monotonic()
        with pytest.raises(StreamLost, match="no answer in time"):
            list(watch(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/live"))
        assert time.monotonic() - started_s < 2.5


def test_a_server_that_falls_silent_is_given_up(http_server: Any) -> None:
    limits = StreamLimits(open_s=0.4, read_s=0.4, reconnects=1, first_pause_s=0.01)
    url = serve_mjpeg(
        http_server, "/cam", range(25), lambda number: http_server.stopping.wait(30 if number == 20 else 0)
    )
    started_s = time.monotonic()
    seen = 0
    frames = watch(url, limits)
    with pytest.raises(StreamLost):  # noqa: PT012 - the frames before are part of what is tested
        for frame in frames:
            seen += 1
            if "opened again" in " ".join(frame.warnings):
                http_server.routes["/cam"] = lambda handler: handler.send_error(503)
    assert seen
    assert time.monotonic() - started_s < 8


def test_an_unknown_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(StreamLost, match=r"the name 'no-such-host\.invalid' cannot be looked up"):
        list(watch("http://no-such-host.invalid/live"))


def test_sound_alone_is_no_stream_of_pictures(http_server: Any, tmp_path: Any) -> None:
    with av.open(tmp_path / "s.ts", "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        wave = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), format="fltp", layout="mono")
        wave.sample_rate = 48_000
        container.mux(stream.encode(wave))
        container.mux(stream.encode(None))
    url = http_server.serve("/s.ts", (tmp_path / "s.ts").read_bytes(), content_type="video/mp2t")
    with pytest.raises(UndecodableVideo, match="carries no pictures"):
        list(watch(url))


def test_offline_refuses_urls() -> None:
    with pytest.raises(Offline):
        next(watch("http://127.0.0.1:9/live", offline=True))


def test_a_camera_that_is_not_there_is_told_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    level = cv2.utils.logging.getLogLevel()
    with pytest.raises(StreamLost, match="camera 87") as caught:
        next(watch(87))
    assert "plugged in" in caught.value.hint
    assert capfd.readouterr() == ("", "")
    assert cv2.utils.logging.getLogLevel() == level


class FakeCamera:
    def __init__(self, frames: int) -> None:
        self.left = frames
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return True

    def read(self) -> tuple[bool, Any]:
        self.left -= 1
        return (True, np.full((4, 6, 3), 7, np.uint8)) if self.left >= 0 else (False, None)

    def release(self) -> None:
        self.released = True


@pytest.mark.parametrize(("frames", "words"), [(5, "went away after 5 frames"), (0, "sends no picture")])
def test_a_camera_that_stops_is_lost_after_its_frames(monkeypatch: pytest.MonkeyPatch, frames: int, words: str) -> None:
    camera = FakeCamera(frames)
    monkeypatch.setattr(cv2, "VideoCapture", lambda index: camera)
    seen: list[Frame] = []
    with pytest.raises(StreamLost, match=words):
        seen.extend(watch(0))
    assert camera.released


def test_a_stream_has_a_name_without_its_login_and_an_output_of_its_own() -> None:
    media = media_of("rtsp://admin:secret@10.0.0.7:554/h264/ch1?sub=1")
    assert media.source == "rtsp://***@10.0.0.7:554/h264/ch1?sub=1"
    assert media.location == "rtsp://admin:secret@10.0.0.7:554/h264/ch1?sub=1"
    assert media.kind == "stream"
    assert "secret" not in repr(media)
    assert str(media.output).startswith("10.0.0.7-554-h264-ch1-")
    assert name_stream_output("rtsp://10.0.0.7/a?sub=1") != name_stream_output("rtsp://10.0.0.7/a?sub=2")
    assert name_stream_output(3) == PurePosixPath("camera-3")
    assert name_stream_output("http://h/../..") == PurePosixPath("h")
