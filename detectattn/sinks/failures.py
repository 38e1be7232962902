"""``failures.jsonl``: one line for each input that could not be processed."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import IO

from detectattn.records import failure_line
from detectattn.sinks.files import output_errors
from detectattn.types import FrameFailure


class FailureLog:
    """Appends failures as they happen; the file appears with the first one. Thread-safe.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._file: IO[str] | None = None

    def __enter__(self) -> FailureLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, failure: FrameFailure) -> None:
        """Append one failure.

        Raises:
            OutputError: The disk is full, or a permission is missing.
        """
        with self._lock, output_errors(self._path):
            if self._file is None:
                self._file = self._path.open("a", encoding="utf-8")
            self._file.write(failure_line(failure))
            self._file.flush()
