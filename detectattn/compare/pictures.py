"""Decoded pictures that every child process reads from one file, so that all models see the same pixels.

The file holds the pictures one after the other, u8 BGR, row by row; a JSON file beside it holds their sizes. The system
keeps it in its cache once, however many models read it.
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


class Pictures(Sequence[U8]):
    """The pictures of a file, u8[H, W, 3] each, read one at a time.

    They are read and not mapped into memory: mapped, every picture that a model ever touched would count as memory of
    its own, and reading it from the disk would fall into the time of whatever touches it first.

    Args:
        path: As :func:`write_pictures` wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sizes = [(height, width) for height, width in json.loads(path.with_suffix(".json").read_text())]
        self._starts = np.cumsum([0, *(height * width * 3 for height, width in self._sizes)]).tolist()

    @property
    def sizes_hw(self) -> Sequence[tuple[int, int]]:
        """Height and width of each; nothing is read for that."""
        return self._sizes

    def __len__(self) -> int:
        return len(self._sizes)

    def __getitem__(self, index: int) -> U8:  # type: ignore[override]  # slices are not needed
        height, width = self._sizes[index]
        start = self._starts[range(len(self))[index]]
        pixels: U8 = np.fromfile(self._path, np.uint8, height * width * 3, offset=start)
        return pixels.reshape(height, width, 3)


def open_pictures(path: Path) -> Pictures:
    """The pictures of a file."""
    return Pictures(path)
