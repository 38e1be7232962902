"""A bad camera on the loopback: it hangs up, falls silent, refuses, breaks off in a picture, and comes in bursts."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MISCHIEF = ("hang up", "fall silent", "refuse", "break off")

_SILENT_S = 20.0
_REFUSED_S = 45.0
_BURST_EVERY_S = 60.0
_BURST_S = 2.0
_BURST_FPS = 25.0
_HEAD = b"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


class BadCamera:
    """Serves MJPEG over HTTP and misbehaves now and then.

    Args:
        pictures: JPEGs, shown in turn.
        fps: Pictures a second; for two seconds of each minute, 25.
        mischief_s: About how long it behaves; the kinds of mischief take turns.

    Attributes:
        sent: Pictures sent in full.
        connections: Answered with pictures.
        done: How often it did what, by kind.
    """

    def __init__(self, pictures: Sequence[bytes], fps: float, mischief_s: float) -> None:
        self.sent = 0
        self.connections = 0
        self.done = dict.fromkeys(MISCHIEF, 0)
        self._pictures = pictures
        self._fps = fps
        self._mischief_s = mischief_s
        self._dice = random.Random(0)
        self._refuse_until_s = 0.0
        self._stopping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with suppress(OSError):  # whoever watched went away
                    outer._answer(self)

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/camera.mjpg"

    def __enter__(self) -> BadCamera:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: Any) -> None:
        if time.monotonic() < self._refuse_until_s:
            handler.send_error(503)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=cut")
        handler.end_headers()
        self.connections += 1
        until_s = time.monotonic() + self._mischief_s * (0.5 + self._dice.random())
        due_s = time.monotonic()
        while time.monotonic() < until_s and not self._stopping.is_set():
            picture = self._pictures[self.sent % len(self._pictures)]
            handler.wfile.write(_HEAD % len(picture) + picture + b"\r\n")
            handler.wfile.flush()
            self.sent += 1
            is_burst = time.monotonic() % _BURST_EVERY_S < _BURST_S
            due_s = max(due_s + 1 / (_BURST_FPS if is_burst else self._fps), time.monotonic())
            self._stopping.wait(due_s - time.monotonic())
        if not self._stopping.is_set():
            self._misbehave(handler)

    def _misbehave(self, handler: Any) -> None:
        kind = MISCHIEF[sum(self.done.values()) % len(MISCHIEF)]
        self.done[kind] += 1
        if kind == "hang up":
            # With a reset rather than an end, as a camera does that loses power.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif kind == "fall silent":
            self._stopping.wait(min(_SILENT_S, self._mischief_s))
        elif kind == "refuse":
            self._refuse_until_s = time.monotonic() + min(_REFUSED_S, self._mischief_s / 2)
        else:
            picture = self._pictures[0]
            handler.wfile.write(_HEAD % len(picture) + picture[: len(picture) // 2])
            handler.wfile.flush()
