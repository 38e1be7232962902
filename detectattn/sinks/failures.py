"""``failures.jsonl``: one line for each input that could not be processed."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from types import TracebackType

from detectattn.records import failure_line
from detectattn.sinks.lines import LineFile
from detectattn.types import FrameFailure


class FailureLog:
    """Appends failures as they happen; the file appears with the first one, or goes on. Thread-safe.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._lines: LineFile | None = None

    def __enter__(self) -> FailureLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lines is not None:
            self._lines.abort()

    def write(self, failure: FrameFailure) -> None:
        """Append one failure; another process sees it at once.

        Raises:
            OutputError: The disk is full, or a permission is missing.
        """
        with self._lock:
            if self._lines is None:
                self._lines = LineFile(self._path, resume=True)
            self._lines.append(failure_line(failure))
