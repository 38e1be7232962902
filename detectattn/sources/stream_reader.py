"""Read a live stream or camera in a thread of its own, over as many connections as it takes."""

from __future__ import annotations

import random
import time
from collections.abc import Generator

from detectattn.errors import StreamLost
from detectattn.sources.stream_connection import Connection, ConnectionLost
from detectattn.sources.stream_limits import StreamLimits
from detectattn.sources.stream_mailbox import Mailbox, Picture, Shot
from detectattn.sources.stream_watch import StreamWatch


class StreamReader:
    """Fills a mailbox from a stream or camera.

    Args:
        connection: Where pictures come from.
        limits: How long it may keep one waiting, and how often it is called again.
        mailbox: Takes the frames; its ``stop`` ends the reader.
        watch: Told of frames, losses and returns.
    """

    def __init__(self, connection: Connection, limits: StreamLimits, mailbox: Mailbox, watch: StreamWatch) -> None:
        self._connection = connection
        self._limits = limits
        self._mailbox = mailbox
        self._watch = watch
        self._dice = random.Random()  # noqa: S311 - it spreads attempts, and keeps no secret

    def run(self, stride: int) -> None:
        """Leave every ``stride``-th frame in the mailbox until the stream ends; the work of a thread."""
        pictures = self._iter_pictures()
        error: Exception | None = None
        try:
            warnings: tuple[str, ...] = ()
            for index, (to_bgr, damage) in enumerate(pictures):
                if self._mailbox.stop.is_set():
                    break
                warnings += damage
                if index % stride == 0:
                    dropped = self._mailbox.put(Shot(index, to_bgr, time.monotonic(), warnings))
                    self._watch.note_frame(dropped=dropped)
                    warnings = ()
        except Exception as caught:  # noqa: BLE001 - it is raised again where the frames are asked for
            error = caught
        finally:
            pictures.close()
            self._watch.note_end()
            self._mailbox.end(error)

    def _iter_pictures(self) -> Generator[tuple[Picture, tuple[str, ...]]]:
        """Pictures of one connection after another, each with what went wrong before it."""
        seen = attempts = pauses = 0
        lost = ""
        while True:
            began_s = time.monotonic()
            try:
                for picture in self._connection.iter_pictures(self._mailbox.note_open):
                    note: tuple[str, ...] = ()
                    if lost:
                        self._watch.note_back(self._connection.name)
                        note = (f"the stream was lost before this frame ({lost}) and opened again",)
                        lost = ""
                    seen, attempts = seen + 1, 0
                    yield picture, note
                return
            except ConnectionLost as reason:
                if seen == 0:
                    raise self._connection.to_error(str(reason)) from None
                if attempts == self._limits.reconnects:
                    raise self._give_up(seen, str(reason)) from None
                self._watch.note_lost(self._connection.name, str(reason))
                lost = lost or str(reason)
            is_steady = time.monotonic() - began_s >= self._limits.steady_s and attempts == 0
            attempts, pauses = attempts + 1, 1 if is_steady else pauses + 1
            if self._mailbox.stop.wait(self._limits.choose_pause_s(pauses, self._dice)):
                return

    def _give_up(self, seen: int, reason: str) -> StreamLost:
        return StreamLost(
            f"{self._connection.name} went away after {seen} frames and did not come back: {reason}",
            hint="Check the camera or server and the network, then start again",
        )
