"""``parquet/``: one table of detections and one of images, for data frames and SQL engines."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from detectattn.errors import MissingExtra
from detectattn.records import to_record
from detectattn.sinks.files import PendingFile, output_errors
from detectattn.sinks.parts import mark_part
from detectattn.types import Frame, Prediction

if TYPE_CHECKING:
    import polars

_PART_ROWS = 50_000

_IMAGES = {
    "source": "String", "index": "Int64", "timestamp_s": "Float64", "height": "Int32", "width": "Int32",
    "model": "String", "detections": "Int32", "decode_ms": "Float64", "preprocess_ms": "Float64",
    "infer_ms": "Float64", "postprocess_ms": "Float64", "warnings": "String",
}  # fmt: skip
_DETECTIONS = {
    "source": "String", "index": "Int64", "class_id": "Int32", "class_name": "String", "score": "Float64",
    "x1": "Float64", "y1": "Float64", "x2": "Float64", "y2": "Float64", "query_id": "Int32",
}  # fmt: skip


class ParquetSink:
    """Writes ``parquet/images.parquet`` and ``parquet/detections.parquet``; both appear when it is closed.

    ``images`` has a row for every frame, also one without detections; ``detections`` has a row for every detection;
    ``source`` and ``index`` join them. Rows go to the disk in parts as they come, so memory does not grow with the run.

    Args:
        folder: The run folder.
        part_rows: Rows of a table that are held in memory.
        resume: Whether an unfinished run may have left the files.
        part: The number of a part, for ``images-00000.parquet``, …; None for one file each.

    Raises:
        MissingExtra: polars is not installed.
        OutputError: One of the files is there already, or cannot be made.
    """

    parallel: ClassVar[bool] = False

    def __init__(
        self, folder: Path, *, part_rows: int = _PART_ROWS, resume: bool = False, part: int | None = None
    ) -> None:
        try:
            import polars  # noqa: F401 - is it there? said now, not after the first thousand images
        except ImportError as error:
            raise MissingExtra(
                "writing Parquet needs polars, which is not installed", hint='Run pip install "detectattn[parquet]"'
            ) from error
        tables = folder / "parquet"
        self._images = _Table(tables / mark_part("images.parquet", part), _IMAGES, part_rows, resume)
        self._detections = _Table(tables / mark_part("detections.parquet", part), _DETECTIONS, part_rows, resume)

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Add one frame and what was found in it."""
        record = to_record(prediction)
        key = {"source": _to_utf8(record["source"]), "index": record["index"]}
        height, width = record["size_hw"]
        self._images.append(
            key
            | {"timestamp_s": record.get("timestamp_s"), "height": height, "width": width}
            | {"model": _to_utf8(record["model"]), "detections": len(record["detections"])}
            | record["timing"]
            | {"warnings": _to_utf8("\n".join(record["warnings"])) if "warnings" in record else None}
        )
        for row in record["detections"]:
            edges = dict(zip(("x1", "y1", "x2", "y2"), row["xyxy"], strict=True))
            name = {"class_name": _to_utf8(row["class_name"])}
            self._detections.append(key | row | name | edges)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Add the frame again: what there was of the files is lost, or is replaced."""
        self.write(frame, prediction)

    def close(self) -> None:
        """Complete both files."""
        try:
            self._images.publish()
            self._detections.publish()
        finally:
            self.abort()

    def abort(self) -> None:
        """Discard what is not complete."""
        self._images.discard()
        self._detections.discard()


class _Table:
    """A Parquet file in the making: columns in memory, parts in a hidden folder, one file in the end."""

    def __init__(self, path: Path, schema: Mapping[str, str], part_rows: int, replace: bool) -> None:
        self._pending = PendingFile.start(path, replace=replace)
        self._path = path
        self._schema = schema
        self._part_rows = part_rows
        self._parts_folder = path.with_name(f".detectattn-{uuid.uuid4().hex}.parts")
        self._parts: list[Path] = []
        self._columns: dict[str, list[Any]] = {name: [] for name in schema}
        self._rows = 0

    def append(self, row: Mapping[str, Any]) -> None:
        for name, column in self._columns.items():
            column.append(row.get(name))
        self._rows += 1
        if self._rows >= self._part_rows:
            self._flush()

    def publish(self) -> None:
        import polars as pl

        with output_errors(self._path), _polars_errors():
            if not self._parts:
                self._frame().write_parquet(self._pending.temporary)
            else:
                self._flush()
                # The streaming engine copies part by part.
                pl.scan_parquet(self._parts).sink_parquet(self._pending.temporary)
        self._pending.publish()

    def discard(self) -> None:
        shutil.rmtree(self._parts_folder, ignore_errors=True)
        self._pending.discard()

    def _flush(self) -> None:
        part = self._parts_folder / f"{len(self._parts):06d}.parquet"
        with output_errors(self._path), _polars_errors():
            self._parts_folder.mkdir(exist_ok=True)
            self._frame().write_parquet(part)
        self._parts.append(part)
        self._columns = {name: [] for name in self._schema}
        self._rows = 0

    def _frame(self) -> polars.DataFrame:
        import polars as pl

        return pl.DataFrame(self._columns, schema={name: getattr(pl, kind) for name, kind in self._schema.items()})


@contextmanager
def _polars_errors() -> Iterator[None]:
    """Give an error of polars, which names the system's in its text only, the number that says what it is."""
    from polars.exceptions import PolarsError

    try:
        yield
    except (PolarsError, OSError) as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error


def _to_utf8(text: str) -> str:
    r"""Text that UTF-8 can hold: the bytes of a file name that is no text become ``\udcff``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
