"""A file that grows by whole lines, and consists of whole lines whenever anybody looks."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from detectattn.sinks.files import output_errors


class LineFile:
    r"""A text file (UTF-8) that is only ever appended to.

    Every append is one write to the system without a buffer between, and one that fails half-way is taken back. What
    UTF-8 cannot hold (the bytes of a file name that is no text) is written as ``\udcff``.

    Args:
        path: The file; its folder is made where it is missing.
        resume: Continue an existing file instead of refusing it.

    Raises:
        OutputExists: ``path`` is there already.
        DiskFull: No space, or no permission.
        WriteFailed: Any other reason.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self.path = path
        with output_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream: BinaryIO = path.open("ab" if resume else "xb", buffering=0)
            self._size = self._stream.seek(0, os.SEEK_END)

    @property
    def size_bytes(self) -> int:
        """Of the file so far."""
        return self._size

    def append(self, text: str) -> None:
        """Add one or more lines, each with its newline.

        Raises:
            OutputError: They cannot be written; none of them is.
        """
        content = memoryview(text.encode("utf-8", "backslashreplace"))
        with output_errors(self.path):
            try:
                written = 0
                while written < len(content):
                    written += self._stream.write(content[written:])
            except OSError:
                # The error on its way out matters more than one in taking half a line back.
                with suppress(OSError):
                    self._stream.truncate(self._size)
                    self._stream.seek(self._size)
                raise
        self._size += len(content)

    def close(self) -> None:
        """Make sure that all of it is on the disk.

        Raises:
            OutputError: It cannot be.
        """
        with output_errors(self.path):
            try:
                os.fsync(self._stream.fileno())
            finally:
                self._stream.close()

    def abort(self) -> None:
        """Close without making sure; the lines stay."""
        self._stream.close()
