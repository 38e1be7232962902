"""``predictions.csv``: one row a detection, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from detectattn.records import to_record
from detectattn.sinks.lines import LineFile
from detectattn.types import Frame, Prediction

COLUMNS = (
    "source", "index", "timestamp_s", "image_height", "image_width", "model",
    "class_id", "class_name", "score", "x1", "y1", "x2", "y2", "query_id",
)  # fmt: skip

# A spreadsheet takes text that begins with one of these for a formula and may run it.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t")


class CsvSink:
    """Appends a row to ``predictions.csv`` for every detection.

    Args:
        folder: The run folder.

    Raises:
        OutputError: The file is there already, or cannot be made.
    """

    parallel: ClassVar[bool] = False

    def __init__(self, folder: Path) -> None:
        self._lines = LineFile(folder / "predictions.csv")
        self._lines.append(_render_rows([COLUMNS]))

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Append the detections of one frame."""
        record = to_record(prediction)
        head = (
            _neutralise(record["source"]),
            record["index"],
            record.get("timestamp_s"),
            *record["size_hw"],
            _neutralise(record["model"]),
        )
        rows = [
            (*head, row["class_id"], _neutralise(row["class_name"]), row["score"], *row["xyxy"], row.get("query_id"))
            for row in record["detections"]
        ]
        if rows:
            self._lines.append(_render_rows(rows))

    def close(self) -> None:
        """Make sure that all rows are on the disk."""
        self._lines.close()

    def abort(self) -> None:
        """Keep the rows written so far."""
        self._lines.abort()


def _neutralise(text: str) -> str:
    r"""Text that no spreadsheet takes for a formula: one that looks like it gets an apostrophe before it.

    A carriage return becomes the two characters ``\r``: the csv module leaves it bare, and readers end a row there.
    """
    text = text.replace("\r", "\\r")
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _render_rows(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
