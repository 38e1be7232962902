"""Write pictures and videos, the same bytes from the same pixels as far as the encoders' versions allow."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def encode_image(bgr: U8, suffix: str, quality: int = 88) -> bytes:
    """The picture as the bytes of a file; ``quality`` counts for ``.jpg``."""
    _, encoded = cv2.imencode(suffix, bgr, [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else [])
    return encoded.tobytes()


def write_video(path: Path, frames: Iterable[U8], fps: int, crf: int) -> None:
    """H.264 in MP4 from frames u8[H, W, 3] of one size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rest = iter(frames)
    first = next(rest)
    with av.open(path, "w", options={"movflags": "+faststart"}) as container:
        # One thread, since the encoder's decisions depend on how many there are.
        options = {"crf": str(crf), "preset": "slow", "threads": "1"}
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, fps)
        for index, bgr in enumerate(chain([first], rest)):
            frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
