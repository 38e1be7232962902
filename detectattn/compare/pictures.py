"""Decoded pictures that every child process reads from one file, so that all models see the same pixels.

The file holds the pictures one after the other, u8 BGR, row by row; a JSON file beside it holds their sizes. Children
map it into memory: it is in RAM once, however many models there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectattn.types import U8, Frame


@dataclass(frozen=True, slots=True)
class PictureFile:
    """Decoded pictures on disk.

    Attributes:
        path: The pixels.
        sizes_hw: Height and width of each.
        sources: Name of each in records.
        decode_ms: What decoding each took.
    """

    path: Path
    sizes_hw: tuple[tuple[int, int], ...]
    sources: tuple[str, ...]
    decode_ms: tuple[float, ...]


def write_pictures(path: Path, frames: Iterable[tuple[Frame, float]]) -> PictureFile:
    """Write frames, each with the milliseconds that its decoding took."""
    sizes, sources, times = [], [], []
    with path.open("wb") as stream:
        for frame, decode_ms in frames:
            stream.write(np.ascontiguousarray(frame.bgr).data)
            sizes.append(frame.size_hw)
            sources.append(frame.source)
            times.append(decode_ms)
    path.with_suffix(".json").write_text(json.dumps(sizes))
    return PictureFile(path, tuple(sizes), tuple(sources), tuple(times))


def open_pictures(path: Path) -> Sequence[U8]:
    """The pictures of a file, u8[H, W, 3] each, mapped and not read."""
    sizes = json.loads(path.with_suffix(".json").read_text())
    pixels = np.memmap(path, np.uint8, "r") if sizes else np.zeros(0, np.uint8)
    starts = np.cumsum([0, *(height * width * 3 for height, width in sizes)])
    return [
        np.asarray(pixels[start : start + height * width * 3]).reshape(height, width, 3)
        for start, (height, width) in zip(starts, sizes, strict=False)
    ]
