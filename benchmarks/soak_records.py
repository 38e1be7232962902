"""What a run on a stream leaves behind: read as it grows, and checked part by part in the end."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import av
import polars as pl


class RecordTail:
    """Follows the parts of a run's records as they grow.

    Attributes:
        delays_s: For each record, when it was seen less its ``timestamp_s``. The smallest is the fastest frame's.
        indices: For each record, its number in the stream.
        warned: Records with a warning.
    """

    def __init__(self, run: Path) -> None:
        self.delays_s: list[float] = []
        self.indices: list[int] = []
        self.warned = 0
        self._folder = run / "predictions"
        self._part = 0
        self._offset = 0

    def read(self) -> None:
        """Take note of the records that are new."""
        now = time.monotonic()
        while True:
            path = self._folder / f"predictions-{self._part:05d}.jsonl"
            if not path.exists():
                return
            is_done = (self._folder / f"predictions-{self._part + 1:05d}.jsonl").exists()
            with path.open("rb") as stream:
                stream.seek(self._offset)
                for line in stream:
                    if not line.endswith(b"\n"):
                        return  # it is being written
                    self._take(json.loads(line), now)
                    self._offset += len(line)
            if not is_done:
                return
            self._part, self._offset = self._part + 1, 0

    def _take(self, record: dict[str, Any], now: float) -> None:
        self.delays_s.append(now - record["timestamp_s"])
        self.indices.append(record["index"])
        self.warned += "warnings" in record


def check_parts(run: Path) -> dict[str, int]:
    """Whether every part is whole and all formats of it say the same: records, tables, rows, pictures of the video."""
    parts = sorted((run / "predictions").glob("predictions-*.jsonl"))
    differing = records = 0
    for path in parts:
        number = path.stem.rpartition("-")[2]
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found = sum(len(line["detections"]) for line in lines)
        records += len(lines)
        same = (
            _count_rows(path.with_suffix(".csv")) == found
            and pl.read_parquet(run / "parquet" / f"images-{number}.parquet").height == len(lines)
            and pl.read_parquet(run / "parquet" / f"detections-{number}.parquet").height == found
            and [_count_pictures(video) for video in (run / "videos").glob(f"*-{number}.mp4")] == [len(lines)]
        )
        differing += not same
    return {"parts": len(parts), "parts_differing": differing, "records": records}


def _count_rows(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as stream:
        return sum(1 for _ in csv.reader(stream)) - 1


def _count_pictures(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))
