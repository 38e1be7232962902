"""Memory that two processes see, for pixels."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Sequence
from math import prod
from typing import IO, Any

import numpy as np

from detectattn.types import U8


class SharedPixels:
    """A file without a name that both processes map: nothing is left behind whoever dies, and when.

    Args:
        file: Open for reading and writing, unbuffered. It grows as it must and never shrinks.
    """

    def __init__(self, file: IO[Any]) -> None:
        self._file = file
        self._memory: mmap.mmap | None = None
        self._last = range(0)

    @property
    def descriptor(self) -> int:
        """Of the file, for a child to inherit."""
        return self._file.fileno()

    @property
    def nbytes(self) -> int:
        """Bytes that it has grown to; 0 once it is let go of."""
        return 0 if self._file.closed else os.fstat(self.descriptor).st_size

    def begin(self) -> None:
        """Put what comes next at the beginning: all that was put so far has been read."""
        self._last = range(0)

    def put(self, arrays: Sequence[U8]) -> list[int]:
        """Copy arrays in, beside those of the call before, which may still be read; where each begins, in bytes."""
        needed = sum(array.nbytes for array in arrays)
        start = 0 if self._last.start >= needed else self._last.stop
        self._last = range(start, start + needed)
        if self.nbytes < self._last.stop:
            os.ftruncate(self.descriptor, self._last.stop)
        memory = self._map(self._last.stop)
        offsets: list[int] = []
        for array in arrays:
            offsets.append(start)
            np.copyto(_view(memory, start, array.shape), array)
            start += array.nbytes
        return offsets

    def get(self, offset: int, shape: tuple[int, ...]) -> U8:
        """A copy of an array u8[shape].

        Raises:
            ValueError: It lies beyond the end.
        """
        end = offset + prod(shape)
        if offset < 0 or min(shape, default=0) < 0 or end > self.nbytes:
            raise ValueError("pixels beyond the memory that is shared")
        return _view(self._map(end), offset, shape).copy()

    def close(self) -> None:
        """Let go of it; the memory is free once the other process has, too."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None
        self._file.close()

    def _map(self, size: int) -> mmap.mmap:
        if self._memory is None or len(self._memory) < size:
            if self._memory is not None:
                self._memory.close()
            self._memory = mmap.mmap(self.descriptor, 0)
        return self._memory


def make_shared_pixels() -> SharedPixels | None:
    """New memory to share with a child that inherits its descriptor; None where children inherit none (Windows)."""
    if os.name == "nt":
        return None
    make_in_memory = getattr(os, "memfd_create", None)  # Linux alone has it
    if make_in_memory is not None:
        return open_shared_pixels(make_in_memory("detectattn-pixels"))
    return SharedPixels(tempfile.TemporaryFile(buffering=0))


def open_shared_pixels(descriptor: int) -> SharedPixels:
    """The memory behind a descriptor."""
    return SharedPixels(os.fdopen(descriptor, "r+b", 0))


def _view(memory: mmap.mmap, offset: int, shape: tuple[int, ...]) -> U8:
    return np.frombuffer(memory, np.uint8, prod(shape), offset).reshape(shape)
