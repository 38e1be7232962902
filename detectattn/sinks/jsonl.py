"""``predictions.jsonl``: one record a picture; of a run in parts, ``predictions/predictions-00000.jsonl``, …."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from detectattn.errors import UnreadableRecord
from detectattn.records import parse_record, record_line
from detectattn.sinks.files import output_errors
from detectattn.sinks.lines import LineFile
from detectattn.sinks.parts import choose_path
from detectattn.types import Frame, Prediction

_CHUNK = 1 << 16


class JsonlSink:
    """Appends a record to ``predictions.jsonl`` for every frame.

    Args:
        folder: The run folder.
        resume: Continue the file of an unfinished run, after cutting off a torn last line.
        part: The number of a part; None for one file.

    Raises:
        OutputError: The file is there already, or cannot be made.
    """

    parallel: ClassVar[bool] = False

    def __init__(self, folder: Path, *, resume: bool = False, part: int | None = None) -> None:
        path = choose_path(folder, "predictions.jsonl", part)
        if resume and path.exists():
            mend_records(path)
        self._lines = LineFile(path, resume=resume)

    @property
    def size_bytes(self) -> int:
        """Of the file so far."""
        return self._lines.size_bytes

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Append the record of one frame; another process sees it at once."""
        self._lines.append(record_line(prediction))

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note: the record is there."""

    def close(self) -> None:
        """Make sure that all records are on the disk."""
        self._lines.close()

    def abort(self) -> None:
        """Keep the records written so far."""
        self._lines.abort()


def mend_records(path: Path) -> None:
    """Give a records file that was cut short a whole last line, so that it can be appended to.

    Raises:
        OutputError: The file cannot be changed.
    """
    with output_errors(path), path.open("r+b") as stream:
        end = stream.seek(0, os.SEEK_END)
        start, tail = end, b""
        while start > 0 and b"\n" not in tail:
            start = stream.seek(max(0, start - _CHUNK))
            tail = stream.read(end - start)
        torn = tail.rpartition(b"\n")[2]
        if not torn:
            return
        try:
            parse_record(torn.decode("utf-8"))
        except (UnreadableRecord, UnicodeDecodeError):
            stream.truncate(end - len(torn))
        else:
            stream.seek(end)
            stream.write(b"\n")
