"""What an unfinished run has settled: which of its inputs are done, and where to go on.

Records are in the order of the inputs, and an input's record is written last of all its files. So the inputs are walked
beside the records: each must have its own, or a failure. The last input that has records is done again unless it is
known to be whole, since it may have had more frames to come; everything after it is still to do.

Where a line of ``failures.jsonl`` is damaged, some input has neither. It is done again, and all that follows it: what
is appended after the last record could not take its place.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NoReturn

import numpy as np

from detectattn.errors import SourceError
from detectattn.pipeline.checkpoint import RunState, write_state
from detectattn.pipeline.written import LastInput, NotedFailures, find_last_input, iter_whole_records, read_failures
from detectattn.records import failure_line
from detectattn.sinks.files import output_errors, replace_file
from detectattn.types import Frame, FrameFailure, Media, Prediction

_AS_BEFORE = "Put them back as they were and resume again, or begin a new run"
_NO_PIXELS = np.zeros((1, 1, 3), np.uint8)
_NO_RECORD: tuple[int, Prediction | None] = (0, None)

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
    walk = _Walk(iter_whole_records(path, last.start), read_failures(folder / "failures.jsonl"), recall)
    items = iter(media)
    for item in items if not walk.is_at_end else ():
        walk.take(item)
        if walk.is_at_end:
            break
    walk.require_end()
    left = _from_last(items, last)
    if walk.lost is not None:
        return Settled(chain(walk.again, left), tuple(walk.kept), walk.lost)
    return Settled(left, tuple(walk.kept), last.start)


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


class _Walk:
    """Inputs on one side, records and failures on the other.

    Attributes:
        kept: Failures of inputs that are settled.
        lost: Where the records end of those inputs, if an input has neither records nor a failure; None if all have.
        again: From that input on, those that were walked.
    """

    def __init__(self, records: Iterator[tuple[int, Prediction]], failures: NotedFailures, recall: Recall) -> None:
        self._records = records
        self._offset, self._next = next(records, _NO_RECORD)
        self._recall = recall
        self._damaged, self._path = failures.damaged, failures.path
        self._failures: defaultdict[str, deque[FrameFailure]] = defaultdict(deque)
        for failure in failures.noted:
            self._failures[failure.source].append(failure)
        self.kept: list[FrameFailure] = []
        self.lost: int | None = None
        self.again: list[Media | FrameFailure] = []

    @property
    def is_at_end(self) -> bool:
        return self._next is None

    def take(self, item: Media | FrameFailure) -> None:
        if isinstance(item, FrameFailure) or not self._take_frames(item):
            if not self._take_failure(item.source, of_frame=False):
                self._miss(item.source)
        else:
            # A medium that broke off has a failure beside its frames.
            self._take_failure(item.source, of_frame=True)
        if self.lost is not None:
            self.again.append(item)

    def _take_frames(self, media: Media) -> bool:
        index, kind = -1, media.kind
        record = self._next
        if record is not None and kind == "url":
            kind = "image" if record.timestamp_s is None else "video"
        opened = replace(media, kind=kind)
        while record is not None and record.source == media.source and record.index > index:
            if self.lost is None:
                self._recall(Frame(opened, record.index, _NO_PIXELS, record.timestamp_s, record.warnings), record)
            index = record.index
            self._offset, record = next(self._records, _NO_RECORD)
            self._next = record
        return index >= 0

    def _take_failure(self, source: str, *, of_frame: bool) -> bool:
        waiting = self._failures[source]
        if waiting and (waiting[0].index is not None) == of_frame:
            failure = waiting.popleft()
            if self.lost is None:
                self.kept.append(failure)
            return True
        return False

    def _miss(self, source: str) -> None:
        """An input has neither records nor a failure: one was lost, or it is no input of the run."""
        if not self._damaged:
            self._refuse(source)
        self._damaged -= 1
        if self.lost is None:
            self.lost = self._offset

    def require_end(self) -> None:
        if self._next is not None:
            raise _to_missing(self._next.source)

    def _refuse(self, source: str) -> NoReturn:
        assert self._next is not None
        if not self._path.exists():
            raise SourceError(
                f"the run has neither records nor a failure of {source}, which comes before {self._next.source}: "
                f"it is a new input, or it failed and {self._path} is missing",
                hint="Take the input away or put the file back, and resume again; or begin a new run",
            )
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
