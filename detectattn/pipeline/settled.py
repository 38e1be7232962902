"""What an unfinished run has settled: which of its inputs are done, and where to go on.

Records are in the order of the inputs, and an input's record is written last of all its files. So the inputs are walked
beside the records: each must have its own, or a failure. The last input that has records is done again unless it is
known to be whole, since it may have had more frames to come; everything after it is still to do.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from detectattn.errors import SourceError, UnreadableRecord
from detectattn.pipeline.checkpoint import RunState, write_state
from detectattn.records import failure_from_record, failure_line, parse_record
from detectattn.sinks.files import output_errors, replace_file
from detectattn.types import Frame, FrameFailure, Media, Prediction

_AS_BEFORE = "Put them back as they were and resume again, or begin a new run"
_NO_PIXELS = np.zeros((1, 1, 3), np.uint8)

Recall = Callable[[Frame, Prediction], None]


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """Where a run goes on.

    Attributes:
        media: The inputs that are left to do.
        failures: Of inputs that are settled, in their order.
        records_bytes: Length of ``predictions.jsonl`` with the records of those inputs alone.
    """

    media: Iterator[Media | FrameFailure]
    failures: tuple[FrameFailure, ...]
    records_bytes: int


def settle(media: Iterable[Media | FrameFailure], folder: Path, recall: Recall, state: RunState) -> Settled:
    """Walk the inputs beside what the run has written, up to the first that is not done. Nothing is changed.

    Args:
        media: The inputs, as the run began with.
        folder: The run folder.
        recall: Told of every frame that is done, in order; its pixels are a single black one.
        state: What is known of the run.

    Raises:
        SourceError: Other inputs than the run began with, or a stream, which cannot be read again.
        UnreadableRecord: ``predictions.jsonl`` is damaged.
    """
    path = folder / "predictions.jsonl"
    last = find_last_input(path, state.whole_bytes, state.trusted_bytes)
    walk = _Walk(_iter_records(path, last.start), _read_failures(folder / "failures.jsonl"), recall)
    items = iter(media)
    for item in items if not walk.is_at_end else ():
        walk.take(item)
        if walk.is_at_end:
            break
    walk.require_end()
    return Settled(_from_last(items, last), tuple(walk.kept), last.start)


def cut_back(folder: Path, settled: Settled, state: RunState) -> None:
    """Take away the records and failures of what is done again, once it is noted that the rest is whole.

    Raises:
        OutputError: A file cannot be changed.
    """
    durable_bytes = min(state.durable_bytes, settled.records_bytes)
    write_state(folder, replace(state, whole_bytes=settled.records_bytes, durable_bytes=durable_bytes))
    records = folder / "predictions.jsonl"
    if records.exists():
        with output_errors(records):
            os.truncate(records, settled.records_bytes)
    failures = folder / "failures.jsonl"
    if settled.failures:
        replace_file(failures, "".join(map(failure_line, settled.failures)))
    else:
        with output_errors(failures):
            failures.unlink(missing_ok=True)


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


class _Walk:
    """Inputs on one side, records and failures on the other."""

    def __init__(self, records: Iterator[Prediction], failures: Iterable[FrameFailure], recall: Recall) -> None:
        self._records = records
        self._next = next(records, None)
        self._recall = recall
        self._failures: defaultdict[str, deque[FrameFailure]] = defaultdict(deque)
        for failure in failures:
            self._failures[failure.source].append(failure)
        self.kept: list[FrameFailure] = []

    @property
    def is_at_end(self) -> bool:
        return self._next is None

    def take(self, item: Media | FrameFailure) -> None:
        if isinstance(item, FrameFailure) or not self._take_frames(item):
            if not self._take_failure(item.source, of_frame=False):
                self._refuse(item.source)
        else:
            # A medium that broke off has a failure beside its frames.
            self._take_failure(item.source, of_frame=True)

    def _take_frames(self, media: Media) -> bool:
        index, kind = -1, media.kind
        record = self._next
        if record is not None and kind == "url":
            kind = "image" if record.timestamp_s is None else "video"
        opened = replace(media, kind=kind)
        while record is not None and record.source == media.source and record.index > index:
            self._recall(Frame(opened, record.index, _NO_PIXELS, record.timestamp_s, record.warnings), record)
            index = record.index
            record = self._next = next(self._records, None)
        return index >= 0

    def _take_failure(self, source: str, *, of_frame: bool) -> bool:
        waiting = self._failures[source]
        if waiting and (waiting[0].index is not None) == of_frame:
            self.kept.append(waiting.popleft())
            return True
        return False

    def require_end(self) -> None:
        if self._next is not None:
            raise _to_missing(self._next.source)

    def _refuse(self, source: str) -> None:
        assert self._next is not None
        raise SourceError(
            f"the inputs are not those that the run began with: {source} comes where it had {self._next.source}",
            hint=_AS_BEFORE,
        )


def _to_missing(source: str) -> SourceError:
    return SourceError(f"{source}, which the run has done, is no longer among its inputs", hint=_AS_BEFORE)


def _from_last(items: Iterator[Media | FrameFailure], last: LastInput) -> Iterator[Media | FrameFailure]:
    """What is left to do, once it is certain that the last input is among it and can be read again."""
    if last.source is None:
        return items
    before = []
    for item in items:
        before.append(item)
        if isinstance(item, Media) and item.source == last.source:
            if item.kind == "stream":
                raise SourceError(
                    f"{item.source} is a stream, and what it showed cannot be read again",
                    hint="Begin a new run; the records and pictures of this one stay as they are",
                )
            return chain(before, items)
    raise _to_missing(last.source)


def _iter_lines(path: Path, end: int | None) -> Iterator[tuple[int, bytes]]:
    """Whole lines with their offsets; a last one without its newline is torn."""
    if not path.exists():
        return
    offset = 0
    with path.open("rb") as stream:
        for line in stream:
            if not line.endswith(b"\n") or (end is not None and offset + len(line) > end):
                return
            yield offset, line
            offset += len(line)


def _iter_records(path: Path, end: int) -> Iterator[Prediction]:
    """The records in the first ``end`` bytes of a file."""
    for _, line in _iter_lines(path, end):
        yield parse_record(line.decode("utf-8"))


def _read_key(path: Path, offset: int, line: bytes) -> tuple[str | None, int]:
    try:
        record = json.loads(line)
        return str(record["source"]), int(record["index"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableRecord(
            f"{path}, byte {offset}: this is no record ({error})",
            hint="The file was changed or damaged; begin a new run",
        ) from error


def _read_failures(path: Path) -> list[FrameFailure]:
    """The failures that were noted. A line that cannot be read is that of an input which is tried again."""
    failures = []
    for _, line in _iter_lines(path, None):
        with suppress(UnreadableRecord, ValueError):
            failures.append(failure_from_record(json.loads(line)))
    return failures
