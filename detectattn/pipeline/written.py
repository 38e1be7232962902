"""What an unfinished run has written of its records and failures, as far as their lines are whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from detectattn.errors import NewerSchema, SourceError, UnreadableRecord
from detectattn.records import failure_from_record, iter_lines, parse_record
from detectattn.types import FrameFailure, Prediction

_DAMAGED = "The file was changed or damaged; begin a new run"


@dataclass(frozen=True, slots=True)
class LastInput:
    """The last input that has records and is done again.

    Attributes:
        source: Its name; None where there is none.
        start: Where its records begin, in bytes, or all of them end.
    """

    source: str | None
    start: int


def find_last_input(path: Path, whole_bytes: int = 0, trusted_bytes: int | None = None) -> LastInput:
    """The last input in a records file, of which whole lines alone count.

    Args:
        path: A ``predictions.jsonl``, or none.
        whole_bytes: Inputs whose records end here or before are whole.
        trusted_bytes: Look no further than this; None for to the end.

    Raises:
        SourceError: The file cannot be read.
        UnreadableRecord: A line is no record.
    """
    start = end = 0
    last: tuple[str | None, int] = (None, -1)
    for offset, line in _iter_lines(path, trusted_bytes):
        key = _read_key(path, offset, line)
        if key[0] != last[0] or key[1] <= last[1]:
            start = offset
        last, end = key, offset + len(line)
    return LastInput(None, end) if end == whole_bytes else LastInput(last[0], start)


@dataclass(frozen=True, slots=True)
class NotedFailures:
    """What was noted of failures.

    Attributes:
        noted: In their order.
        damaged: Lines that cannot be read, or are cut short.
        path: The file.
    """

    noted: Sequence[FrameFailure]
    damaged: int
    path: Path


def _iter_lines(path: Path, end: int | None) -> Iterator[tuple[int, bytes]]:
    """Whole lines with their offsets; a last one without its newline is torn."""
    for offset, line in _iter_all_lines(path):
        if not line.endswith(b"\n") or (end is not None and offset + len(line) > end):
            return
        yield offset, line


def _iter_all_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    offset = 0
    try:
        with path.open("rb") as stream:
            for line in iter_lines(stream, path):
                yield offset, line
                offset += len(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror}",
            hint="Put it back as it was and resume again, or begin a new run",
        ) from error


def iter_whole_records(path: Path, end: int) -> Iterator[tuple[int, Prediction]]:
    """The records in the first ``end`` bytes of a file, each with its offset.

    Raises:
        SourceError: The file cannot be read.
        UnreadableRecord: A line is no record.
    """
    for offset, line in _iter_lines(path, end):
        with _naming_record(path, offset):
            prediction = parse_record(line.decode("utf-8"))
        yield offset, prediction


def _read_key(path: Path, offset: int, line: bytes) -> tuple[str | None, int]:
    with _naming_record(path, offset):
        record = json.loads(line)
        return str(record["source"]), int(record["index"])


@contextmanager
def _naming_record(path: Path, offset: int) -> Iterator[None]:
    try:
        yield
    except NewerSchema as error:
        raise NewerSchema(f"{path}, byte {offset}: {error.problem}", hint=error.hint) from error
    except UnreadableRecord as error:
        raise UnreadableRecord(f"{path}, byte {offset}: {error.problem}", hint=_DAMAGED) from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UnreadableRecord(f"{path}, byte {offset}: this is no record ({error})", hint=_DAMAGED) from error


def read_failures(path: Path) -> NotedFailures:
    """The failures in a ``failures.jsonl``; none where there is no file.

    Raises:
        SourceError: The file cannot be read.
    """
    failures: list[FrameFailure] = []
    damaged = 0
    for _, line in _iter_all_lines(path):
        try:
            failures.append(failure_from_record(json.loads(line)))
        except (UnreadableRecord, ValueError, RecursionError):
            damaged += 1
    return NotedFailures(failures, damaged, path)
