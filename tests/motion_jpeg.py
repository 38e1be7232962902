"""The page of a network camera: pictures as parts of one answer that does not end (MJPEG over HTTP)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler

import cv2
import numpy as np


def jpeg_part(level: int, size_hw: tuple[int, int] = (48, 64)) -> bytes:
    """One picture of the page, evenly grey."""
    encoded = cv2.imencode(".jpg", np.full((*size_hw, 3), level, np.uint8))[1].tobytes()
    return b"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(encoded), encoded)


def send_parts(handler: BaseHTTPRequestHandler, parts: Iterable[bytes], pause: Callable[[int], object]) -> None:
    """Answer with the parts, each at once; ``pause`` is called after each with its number."""
    handler.send_response(200)
    handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=cut")
    handler.end_headers()
    for number, part in enumerate(parts):
        handler.wfile.write(part)
        handler.wfile.flush()
        pause(number)
