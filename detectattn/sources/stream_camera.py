"""A camera at this machine, by its index."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from threading import Event
from typing import Any

import cv2

from detectattn.errors import StreamLost
from detectattn.sources.stream_connection import ConnectionLost
from detectattn.sources.stream_mailbox import Picture
from detectattn.types import U8


class CameraConnection:
    """A camera.

    Args:
        index: From 0.
        stop: Set to end it.
    """

    def __init__(self, index: int, stop: Event) -> None:
        self.name = f"camera {index}"
        self._index = index
        self._stop = stop

    def iter_pictures(self, note_open: Callable[[], None]) -> Generator[Picture]:
        """Its pictures; see :meth:`detectattn.sources.stream_connection.Connection.iter_pictures`."""
        camera = _open_camera(self._index)
        try:
            if not camera.isOpened():
                raise ConnectionLost("it cannot be opened")
            note_open()
            while not self._stop.is_set():
                ok, bgr = camera.read()
                if not ok:
                    raise ConnectionLost("it sends no picture")
                yield partial(_as_is, bgr)
        finally:
            camera.release()

    def to_error(self, reason: str) -> StreamLost:
        """The error of a camera that is not there."""
        return StreamLost(
            f"no picture from {self.name}: {reason}",
            hint="Check that it is plugged in, that no other program uses it, and that you may use it (on Linux: group "
            "`video`); the first camera is 0",
        )


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
