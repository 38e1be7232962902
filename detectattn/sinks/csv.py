"""``predictions.csv``: one row a detection, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from detectattn.records import to_record
from detectattn.sinks.cells import to_cell
from detectattn.sinks.files import output_errors
from detectattn.sinks.lines import LineFile
from detectattn.sinks.parts import choose_path
from detectattn.types import Frame, Prediction

COLUMNS = (
    "source", "index", "timestamp_s", "image_height", "image_width", "model",
    "class_id", "class_name", "score", "x1", "y1", "x2", "y2", "query_id",
)  # fmt: skip


class CsvSink:
    """Appends a row to ``predictions.csv`` for every detection.

    Args:
        folder: The run folder.
        resume: Write the file of an unfinished run anew, from what is recalled; it takes that one's place with the
            first frame that is written.
        part: The number of a part; None for one file.

    Raises:
        OutputError: The file is there already, or cannot be made.
    """

    parallel: ClassVar[bool] = False

    def __init__(self, folder: Path, *, resume: bool = False, part: int | None = None) -> None:
        self._path = choose_path(folder, "predictions.csv", part)
        self._draft = self._path.with_name(f".detectattn-{uuid.uuid4().hex}.part.csv") if resume else None
        self._lines = LineFile(self._draft or self._path)
        self._lines.append(_render_rows([COLUMNS]))

    @property
    def size_bytes(self) -> int:
        """Of the file so far."""
        return self._lines.size_bytes

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Append the detections of one frame."""
        if self._draft is not None:
            self._take_place(self._draft)
        self._append(prediction)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Append the detections of a frame again."""
        self._append(prediction)

    def close(self) -> None:
        """Make sure that all rows are on the disk."""
        if self._draft is not None:
            self._take_place(self._draft)
        self._lines.close()

    def abort(self) -> None:
        """Keep the rows written so far."""
        self._lines.abort()
        if self._draft is not None:
            # The error on its way out matters more than a hidden file left behind.
            with suppress(OSError):
                self._draft.unlink()

    def _take_place(self, draft: Path) -> None:
        self._lines.close()
        with output_errors(self._path):
            draft.replace(self._path)
        self._draft = None
        self._lines = LineFile(self._path, resume=True)

    def _append(self, prediction: Prediction) -> None:
        record = to_record(prediction)
        head = (
            to_cell(record["source"]),
            record["index"],
            record.get("timestamp_s"),
            *record["size_hw"],
            to_cell(record["model"]),
        )
        rows = [
            (*head, row["class_id"], to_cell(row["class_name"]), row["score"], *row["xyxy"], row.get("query_id"))
            for row in record["detections"]
        ]
        if rows:
            self._lines.append(_render_rows(rows))


def _render_rows(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
