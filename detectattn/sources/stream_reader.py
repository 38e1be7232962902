"""Read a live stream or camera in a thread of its own, keeping the newest frame."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import av
import av.error
import cv2

from detectattn.errors import StreamLost, UndecodableVideo
from detectattn.sources.video_picture import PictureConverter
from detectattn.types import U8

_Picture: TypeAlias = Callable[[], U8]
_Pictures: TypeAlias = Generator[tuple[_Picture, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How long a stream may keep one waiting.

    Attributes:
        open_s: To answer at all.
        read_s: Between two packets.
        first_frame_s: From the answer to the first picture (cameras send a whole one only every few seconds).
        reconnects: Attempts in a row to get a stream back that was there.
        first_pause_s: Before the first of them; each later pause is twice as long.
    """

    open_s: float = 8.0
    read_s: float = 8.0
    first_frame_s: float = 30.0
    reconnects: int = 3
    first_pause_s: float = 0.5


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame that arrived, not yet converted.

    Attributes:
        index: Its number in the stream, from 0.
        to_bgr: Makes its pixels, u8[H, W, 3].
        arrived_s: When, on the monotonic clock.
        warnings: What went wrong since the one before.
    """

    index: int
    to_bgr: _Picture
    arrived_s: float
    warnings: tuple[str, ...] = ()


class Mailbox:
    """Room for one frame between the reader's thread and the caller's.

    Attributes:
        stop: Set by the caller to end the reader.
        dropped: Frames that nobody asked for in time.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.dropped = 0
        self._changed = threading.Condition()
        self._shot: Shot | None = None
        self._opened = False
        self._delivered = False
        self._ended = False
        self._error: Exception | None = None

    def note_open(self) -> None:
        """The stream answers."""
        with self._changed:
            self._opened = True
            self._changed.notify()

    def put(self, shot: Shot) -> None:
        """Leave a frame; one that still lies there is dropped, its warnings are kept."""
        with self._changed:
            if self._shot is not None:
                self.dropped += 1
                shot = replace(shot, warnings=self._shot.warnings + shot.warnings)
            self._shot = shot
            self._changed.notify()

    def end(self, error: Exception | None) -> None:
        """No more frames come, because of ``error`` if there is one."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify()

    def take(self, source: str, limits: StreamLimits) -> Shot | None:
        """The newest frame, waiting for one; None at the end of the stream.

        Raises:
            StreamLost: It does not come in time.
            Exception: What ended the reader.
        """
        with self._changed:
            # The time limits here are for what no time limit of FFmpeg covers, such as looking up a host's name.
            if not self._delivered:
                answered = self._changed.wait_for(lambda: self._opened or self._ended, limits.open_s + 2)
                if not answered or not self._changed.wait_for(self._is_due, limits.first_frame_s):
                    raise _unreachable(source, "no answer" if not answered else "it answers but sends no picture")
            self._changed.wait_for(self._is_due)
            shot, self._shot = self._shot, None
            if shot is None and self._error is not None:
                raise self._error
            self._delivered = True
            return shot

    def _is_due(self) -> bool:
        return self._shot is not None or self._ended


def read_into(mailbox: Mailbox, location: str | int, source: str, limits: StreamLimits, stride: int) -> None:
    """Fill ``mailbox`` with every ``stride``-th frame of a stream or camera until it ends; runs in a thread."""
    pictures = (
        _iter_camera(location, mailbox)
        if isinstance(location, int)
        else _iter_network(location, source, limits, mailbox)
    )
    error: Exception | None = None
    try:
        warnings: tuple[str, ...] = ()
        for index, (to_bgr, damage) in enumerate(pictures):
            if mailbox.stop.is_set():
                break
            warnings += damage
            if index % stride == 0:
                mailbox.put(Shot(index, to_bgr, time.monotonic(), warnings))
                warnings = ()
    except Exception as caught:  # noqa: BLE001 - it is raised again where the frames are asked for
        error = caught
    finally:
        pictures.close()
        mailbox.end(error)


def _iter_network(url: str, source: str, limits: StreamLimits, mailbox: Mailbox) -> _Pictures:
    """Decoded pictures of a stream, over as many connections as it takes."""
    seen, attempts = 0, 0
    note: tuple[str, ...] = ()
    while True:
        started_s = time.monotonic()
        try:
            for picture in _iter_connection(url, source, limits, mailbox):
                seen, attempts = seen + 1, 0
                yield picture, note
                note = ()
        except av.error.FFmpegError as error:
            if seen == 0:
                # RTSP names no reason when our own time limit ends its wait.
                in_time = time.monotonic() - started_s < limits.open_s
                raise _unreachable(source, _describe(error, url) if in_time else "no answer in time") from None
            if attempts == limits.reconnects:
                raise StreamLost(
                    f"stream {source!r} went away after {seen} frames and did not come back: {_describe(error)}",
                    hint="Check the camera or server and the network, then start again",
                ) from None
            note = (f"the stream was lost before this frame ({_describe(error)}) and opened again",)
        else:
            return
        attempts += 1
        if mailbox.stop.wait(limits.first_pause_s * 2 ** (attempts - 1)):
            return


def _iter_connection(url: str, source: str, limits: StreamLimits, mailbox: Mailbox) -> Generator[_Picture]:
    converter = PictureConverter()
    options = {"analyzeduration": "2000000", "rtsp_flags": "prefer_tcp", "overrun_nonfatal": "1"}
    with av.open(url, options=options, timeout=(limits.open_s, limits.read_s), metadata_errors="replace") as container:
        stream = container.streams.best("video")
        if stream is None or stream.codec_context is None:
            raise UndecodableVideo(f"stream {source!r} carries no pictures", hint="Name the address of its video")
        mailbox.note_open()
        # Threads over frames would hold back as many frames as there are threads.
        stream.thread_type = "SLICE"
        for packet in container.demux(stream):
            if mailbox.stop.is_set():
                return
            try:
                pictures = stream.codec_context.decode(packet if packet.size else None)
            except av.error.InvalidDataError:
                # Usual until the first whole picture, and after a lost packet; the decoder finds its way back.
                continue
            for picture in pictures:
                yield partial(converter.to_bgr, picture)


def _iter_camera(index: int, mailbox: Mailbox) -> _Pictures:
    camera = _open_camera(index)
    try:
        if not camera.isOpened():
            raise _no_camera(index, "it cannot be opened")
        mailbox.note_open()
        seen = 0
        while not mailbox.stop.is_set():
            ok, bgr = camera.read()
            if not ok:
                raise _no_camera(index, f"it went away after {seen} frames" if seen else "it sends no picture")
            seen += 1
            yield partial(_as_is, bgr), ()
    finally:
        camera.release()


def _as_is(bgr: U8) -> U8:
    return bgr


def _open_camera(index: int) -> Any:
    # OpenCV writes several lines to stderr for a camera that is not there; ours is enough.
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        return cv2.VideoCapture(index)
    finally:
        cv2.utils.logging.setLogLevel(level)


def _no_camera(index: int, reason: str) -> StreamLost:
    return StreamLost(
        f"no picture from camera {index}: {reason}",
        hint="Check that it is plugged in, that no other program uses it, and that you may use it (on Linux: group "
        "`video`); the first camera is 0",
    )


def _unreachable(source: str, reason: str) -> StreamLost:
    return StreamLost(
        f"stream {source!r} cannot be reached: {reason}",
        hint="Check the address and its port, that the camera or server is on and reachable from this machine, and the "
        "login (rtsp://user:password@host/path)",
    )


def _describe(error: av.error.FFmpegError, url: str = "") -> str:
    if isinstance(error, av.error.ExitError):
        # What FFmpeg reports when our own time limit ends a wait.
        return "no answer in time"
    if error.errno == errno.EIO and (host := urlsplit(url).hostname):
        # FFmpeg reports an unknown host like a broken disk.
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            return f"the name {host!r} cannot be looked up"
    return str(error.strerror or error).rstrip(".")
