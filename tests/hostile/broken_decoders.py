"""The process that decodes, with decoders that break as native code does, on pictures whose names ask for it.

Started in place of ``detectattn.sources.decode_worker``.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import Any

from detectattn.sources import decode_worker, image_pillow, video
from detectattn.sources.decode_worker import main

__all__ = ["main"]

_send_frame = decode_worker.send_frame
_pillow_page, _video_pixels = image_pillow._decode_page, video.PictureConverter.to_bgr
_converted = 0


def decode_page(encoded: Any, *rest: Any) -> Any:
    page = _pillow_page(encoded, *rest)
    break_as_asked(encoded.name, page.index)
    return page


def to_bgr(self: Any, picture: Any) -> Any:
    global _converted
    _converted += 1
    if _converted > 5:
        break_as_asked("crash", 1)
    return _video_pixels(self, picture)


def break_as_asked(name: str, page: int) -> None:
    if name.startswith("crash") or (name.startswith("second-page") and page == 1):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("abort"):
        os.abort()
    if name.startswith("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("hang"):
        if mark := os.environ.get("TOUCHED_BEFORE_HANGING"):
            Path(mark).touch()
        ctypes.PyDLL(None).pause()  # holding Python's lock, so that no thread of this process can do anything about it
    if name.startswith("slow"):
        time.sleep(2)
    if name.startswith("eater"):
        held = []
        while True:
            held.append(bytearray(256 * 1024**2))


def send_frame(stream: Any, frame: Any, shared: Any) -> None:
    if frame.media.source.startswith("babble"):
        stream.write(b"no message" * 100)
    _send_frame(stream, frame, shared)


image_pillow._decode_page = decode_page
video.PictureConverter.to_bgr = to_bgr  # type: ignore[method-assign]
decode_worker.send_frame = send_frame
