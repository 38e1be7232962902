"""Files in numbered parts, for runs that go on for weeks: each part is whole and stands for itself once it is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from detectattn.sinks.base import Sink
from detectattn.types import Frame, Prediction

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class PartLimit:
    """When the next part begins.

    Attributes:
        after_s: That long after a part's first frame; None for no matter when.
        size_bytes: Once a file of it is that large; None for no matter how large.
    """

    after_s: float | None = None
    size_bytes: int | None = None


def mark_part(name: str, number: int | None) -> str:
    """A file's name with the part's number before its suffix, ``predictions-00012.jsonl``; as it is without parts."""
    if number is None:
        return name
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}-{number:05d}{dot}{suffix}"


class PartTurn:
    """Says which part a frame belongs to; one for all sinks, so that equal numbers mean equal frames.

    A frame of another size than the one before begins a part too: a video has one size.

    Args:
        limit: When the next part begins.
        clock: Seconds, never going back.
    """

    def __init__(self, limit: PartLimit, clock: Clock = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._number = 0
        self._began_s: float | None = None
        self._largest_bytes = 0
        self._last: tuple[str, int] | None = None
        self._size_hw: tuple[int, int] | None = None

    def place(self, frame: Frame) -> int:
        """The number of the part, from 0; asked by each sink in turn, it gives all the same."""
        key = (frame.source, frame.index)
        if key != self._last:
            now = self._clock()
            if self._began_s is None:
                self._began_s = now
            elif self._is_due(now) or frame.size_hw != self._size_hw:
                self._number += 1
                self._began_s, self._largest_bytes = now, 0
            self._last, self._size_hw = key, frame.size_hw
        return self._number

    def note_size(self, size_bytes: int) -> None:
        """So large is a file of the part now."""
        self._largest_bytes = max(self._largest_bytes, size_bytes)

    def _is_due(self, now: float) -> bool:
        after_s, size_bytes = self._limit.after_s, self._limit.size_bytes
        is_late = after_s is not None and self._began_s is not None and now - self._began_s >= after_s
        return is_late or (size_bytes is not None and self._largest_bytes >= size_bytes)


class PartsSink:
    """Writes each part with a sink of its own, which is closed when the next part begins.

    Args:
        turn: Which part a frame belongs to.
        open_part: Opens the sink of a part, by its number. A sink that tells the size of its file as ``size_bytes``
            counts for the limit. The first is opened at once, so that what it lacks is said before the first frame.
    """

    parallel: ClassVar[bool] = False

    def __init__(self, turn: PartTurn, open_part: Callable[[int], Sink]) -> None:
        self._turn = turn
        self._open_part = open_part
        self._number = 0
        self._sink: Sink | None = open_part(0)

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Add one frame to its part.

        Raises:
            OutputError: As the sink; also from completing the part before.
        """
        number = self._turn.place(frame)
        if number != self._number:
            self.close()
        if self._sink is None:
            self._sink, self._number = self._open_part(number), number
        self._sink.write(frame, prediction)
        self._turn.note_size(getattr(self._sink, "size_bytes", 0))

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note: a run that is written in parts reads what cannot be read again."""

    def close(self) -> None:
        """Complete the part."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close()

    def abort(self) -> None:
        """Discard what is incomplete of the part; those before are whole."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.abort()


def choose_path(folder: Path, name: str, part: int | None) -> Path:
    """Where a file of records goes: in the run folder, or for a part, under its number in ``predictions/``."""
    return folder / name if part is None else folder / "predictions" / mark_part(name, part)
