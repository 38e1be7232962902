"""Streams that go away and come back: how they are called again, what is said of it, and how soon one can leave."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from detectattn.errors import StreamLost
from detectattn.sources import stream_connection
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.stream import StreamSource, iter_stream_frames
from detectattn.sources.stream_connection import ConnectionLost, NetworkConnection
from detectattn.sources.stream_limits import StreamLimits
from detectattn.sources.stream_mailbox import Mailbox, Shot
from detectattn.sources.stream_options import LiveReadOptions, StreamOptions
from detectattn.sources.stream_watch import StreamWatch
from detectattn.types import Frame, Media
from tests.motion_jpeg import jpeg_part, send_parts

FOREVER = StreamLimits(open_s=0.5, read_s=0.5, first_frame_s=2.0, first_pause_s=0.01, longest_pause_s=0.05)


@pytest.fixture(autouse=True)
def _no_reader_left() -> Iterator[None]:
    """A reader ends soon after nobody wants its frames, at the latest when its server lets go."""
    yield
    deadline = time.monotonic() + 5
    while (left := [t for t in threading.enumerate() if t.name == "stream-reader"]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def watch(told: list[str]) -> StreamWatch:
    return StreamWatch(told.append)


@pytest.fixture
def read(watch: StreamWatch) -> Iterator[Callable[..., Generator[Frame]]]:
    """``read(url, limits, is_stopped)`` gives the frames of a stream, which is let go of after the test."""
    opened: list[Generator[Frame]] = []

    def begin(
        url: str, limits: StreamLimits = FOREVER, is_stopped: Callable[[], bool] = lambda: False
    ) -> Generator[Frame]:
        (media,) = StreamSource(url).iter_media(ReadCounts())
        assert isinstance(media, Media)
        options = LiveReadOptions.extend(ReadOptions(), StreamOptions(limits, watch, is_stopped))
        frames = cast("Generator[Frame]", iter_stream_frames(media, options))
        opened.append(frames)
        return frames

    yield begin
    for frames in opened:
        frames.close()


class Camera:
    """An MJPEG page that shows ten pictures a connection and then does what a test says, connection by connection."""

    def __init__(self, server: Any, *turns: Callable[[Any], None]) -> None:
        self.server = server
        self.turns = list(turns)
        self.sizes = [(48, 64)]
        server.routes["/cam"] = self.answer
        self.url = f"{server.url}/cam"

    def answer(self, handler: Any) -> None:
        size_hw = self.sizes.pop(0) if len(self.sizes) > 1 else self.sizes[0]
        if not self.turns:
            self.show(handler, 400, size_hw)
            return
        turn = self.turns.pop(0)
        if turn is not refuse:
            self.show(handler, 10, size_hw)
        turn(handler)

    def show(self, handler: Any, count: int, size_hw: tuple[int, int]) -> None:
        parts = (jpeg_part(level % 200, size_hw) for level in range(count))
        send_parts(handler, parts, lambda _: self.server.stopping.wait(0.005))


def hang_up(handler: Any) -> None:
    return


def reset(handler: Any) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def fall_silent(handler: Any) -> None:
    time.sleep(1.5)  # longer than is waited for; the other end of a connection that is half open does the same for ever


def break_off(handler: Any) -> None:
    handler.wfile.write(jpeg_part(99)[:200])
    handler.wfile.flush()


def refuse(handler: Any) -> None:
    handler.send_error(503)


@pytest.mark.parametrize("mischief", [hang_up, reset, fall_silent, break_off])
def test_a_stream_that_was_there_is_called_until_it_is_back(
    read: Any, http_server: Any, watch: StreamWatch, told: list[str], mischief: Callable[[Any], None]
) -> None:
    camera = Camera(http_server, mischief, refuse, refuse, refuse, refuse)
    frames = read(camera.url)
    warned = next(frame for frame in frames if frame.warnings)
    state = watch.read()
    frames.close()
    assert "opened again" in warned.warnings[0]
    assert (state.phase, state.reconnects, state.attempts, state.away_since) == ("running", 1, 0, None)
    assert state.away_s > 0
    assert camera.url in told[0]
    assert "was lost" in told[0]
    assert told[1].endswith("(5 attempts)")
    assert watch.read().phase == "ended"


def test_half_a_picture_is_none(http_server: Any) -> None:
    camera = Camera(http_server, break_off)
    connection = NetworkConnection(camera.url, camera.url, FOREVER, threading.Event())
    shown: list[Any] = []
    with pytest.raises(ConnectionLost):
        shown.extend(connection.iter_pictures(lambda: None))
    assert len(shown) == 10


def test_a_stream_that_does_not_come_back_is_given_up_after_so_many_attempts(
    read: Any, http_server: Any, watch: StreamWatch
) -> None:
    camera = Camera(http_server, hang_up, *[refuse] * 20)
    with pytest.raises(StreamLost, match="did not come back"):
        list(read(camera.url, replace(FOREVER, reconnects=3)))
    assert len(http_server.requests) == 1 + 3


def test_one_that_never_answered_is_not_called_again(read: Any, http_server: Any, watch: StreamWatch) -> None:
    http_server.routes["/cam"] = refuse
    with pytest.raises(StreamLost, match="cannot be reached"):
        next(read(f"{http_server.url}/cam"))
    assert len(http_server.requests) == 1


def test_a_name_that_is_not_found_for_a_while_is_asked_for_again(
    read: Any, http_server: Any, watch: StreamWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = Camera(http_server, hang_up)
    right, asked = socket.getaddrinfo, list[Any]()

    def look_up(host: Any, *rest: Any, **options: Any) -> Any:
        asked.append(host)
        if 2 <= len(asked) <= 3:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return right("127.0.0.1", *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    frames = read(camera.url.replace("127.0.0.1", "camera.invalid"))
    warned = next(frame for frame in frames if frame.warnings)
    frames.close()
    assert warned.index >= 10
    assert len(asked) == 4


def test_pictures_of_another_size_come_as_they_are(read: Any, http_server: Any, watch: StreamWatch) -> None:
    camera = Camera(http_server, hang_up)
    camera.sizes = [(48, 64), (96, 64)]
    frames = read(camera.url)
    sizes = {frame.size_hw for frame, _ in zip(frames, range(40), strict=False)}
    frames.close()
    assert sizes == {(48, 64), (96, 64)}


def test_a_live_playlist_that_is_over_when_it_is_called_again_is_not_shown_once_more(
    read: Any, http_server: Any, clips: Any, watch: StreamWatch
) -> None:
    http_server.serve("/part.ts", clips.make("part.ts", frames=30).read_bytes(), content_type="video/mp2t")
    live = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.2,\npart.ts\n"
    http_server.serve("/live.m3u8", live, content_type="application/vnd.apple.mpegurl")
    frames = read(f"{http_server.url}/live.m3u8", replace(FOREVER, open_s=3, read_s=2))
    seen = [next(frames)]
    over = live + b"#EXT-X-ENDLIST\n"
    http_server.serve("/live.m3u8", over, content_type="application/vnd.apple.mpegurl")
    seen += frames
    assert [clips.read_number(frame.bgr) for frame in seen] == [frame.index for frame in seen]
    assert seen[-1].index == 29


@pytest.mark.parametrize("mischief", [refuse, fall_silent])
def test_a_run_that_stops_is_not_kept_waiting_by_a_stream_that_is_away(
    read: Any, http_server: Any, watch: StreamWatch, mischief: Callable[[Any], None]
) -> None:
    camera = Camera(http_server, mischief if mischief is not refuse else hang_up, *[refuse] * 1000)
    stopped = threading.Event()
    limits = replace(FOREVER, read_s=30.0, first_pause_s=30.0, longest_pause_s=30.0)
    frames = read(camera.url, limits, stopped.is_set)
    next(frames)
    threading.Timer(0.3, stopped.set).start()
    ended = threading.Event()

    def take() -> None:
        list(frames)
        ended.set()

    taker = threading.Thread(target=take, daemon=True)
    taker.start()
    assert ended.wait(5)  # a pause or a wait of half a minute lies before the next frame


def test_a_clock_that_jumps_does_not_matter(read: Any, clips: Any) -> None:
    """A camera whose clock is set by a day, there and back."""
    days = [[start_s + i / 25 for i in range(10)] for start_s in (0, 86_400, 10)]
    content = b"".join(clips.make(f"{day[0]}.ts", times_s=day, options={"bf": "0"}).read_bytes() for day in days)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(content)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        started_s = time.monotonic()
        seen: list[Frame] = []
        limits = replace(FOREVER, open_s=5, read_s=5, reconnects=0)
        with pytest.raises(StreamLost, match="the server closed the connection"):
            seen.extend(read(f"tcp://127.0.0.1:{listener.getsockname()[1]}", limits))
        elapsed_s = time.monotonic() - started_s
    stamps = [frame.timestamp_s or 0.0 for frame in seen]
    assert seen[-1].index == 29
    assert stamps == sorted(stamps)
    assert 0 <= stamps[-1] <= elapsed_s


def test_pauses_double_up_to_a_limit_and_differ() -> None:
    limits, dice = StreamLimits(first_pause_s=0.5, longest_pause_s=30.0), random.Random(1)
    for attempt in (1, 2, 3, 6, 7, 20, 10_000):
        longest = min(30.0, 0.5 * 2 ** min(attempt - 1, 30))
        pauses = [limits.choose_pause_s(attempt, dice) for _ in range(50)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
        assert len(set(pauses)) > 40


def test_a_stream_that_comes_and_goes_is_not_told_of_every_time(read: Any, watch: StreamWatch, told: list[str]) -> None:
    watch.note_opening()
    for _ in range(100):
        watch.note_lost("stream 'cam'", "gone")
        watch.note_lost("stream 'cam'", "gone")
        watch.note_back("stream 'cam'")
    assert len(told) == 2
    assert watch.read().reconnects == 100


def test_a_long_absence_is_told_of_less_and_less_often(
    watch: StreamWatch, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("detectattn.sources.stream_watch.time.monotonic", lambda: now[0])
    for _ in range(10 * 120):
        watch.note_lost("stream 'cam'", "gone")
        now[0] += 30
    hours = [sentence for sentence in told if " h " in sentence]
    assert len(told) - len(hours) <= 4
    assert len(hours) in (8, 9)


def test_warnings_of_frames_that_nobody_took_do_not_pile_up() -> None:
    mailbox = Mailbox()
    for index in range(1000):
        mailbox.put(Shot(index, lambda: np.zeros((1, 1, 3), np.uint8), 0.0, (f"about {index}",)))
    mailbox.note_open()
    shot = mailbox.take(FOREVER, lambda reason: StreamLost(reason, hint=""))
    assert shot is not None
    assert shot.warnings[-1] == "about 999"
    assert len(shot.warnings) == 10
    assert mailbox.dropped == 999


def test_one_picture_that_cannot_be_converted_costs_that_picture(
    read: Any, http_server: Any, watch: StreamWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = Camera(http_server)
    convert, broken = stream_connection.PictureConverter.to_bgr, [True, True]

    def to_bgr(self: Any, picture: Any) -> Any:
        if broken and broken.pop():
            raise ValueError("no such format")
        return convert(self, picture)

    monkeypatch.setattr(stream_connection.PictureConverter, "to_bgr", to_bgr)
    frames = read(camera.url)
    first = next(frames)
    frames.close()
    assert "could not be converted (no such format)" in first.warnings[0]
    assert first.index > 0
