"""Group frames of one input shape into batches, and put what comes out back in order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

from detectattn.pipeline.reading import ReadyFrame

T = TypeVar("T")


class Batcher:
    """Collects frames until ``size`` of one input shape are there.

    Frames of different shapes are collected side by side. A frame waits for fewer than ``window`` later ones, so memory
    is bounded and nothing starves; then its batch goes out as it is. Which frames share a batch depends on their order
    and shapes alone.

    Args:
        size: Frames a batch.
        window: Frames a frame may wait for, itself included, and what cannot be read among them.
    """

    def __init__(self, size: int, window: int | None = None) -> None:
        self._size = size
        self.window = window if window is not None else 4 * size
        self._groups: dict[tuple[int, int], list[ReadyFrame]] = {}

    def add(self, ready: ReadyFrame) -> Iterator[list[ReadyFrame]]:
        """Take one frame; batches that are complete by it."""
        group = self._groups.setdefault(ready.resize.net_hw, [])
        group.append(ready)
        if len(group) == self._size:
            yield self._groups.pop(ready.resize.net_hw)
        yield from self.skip(ready.order)

    def skip(self, order: int) -> Iterator[list[ReadyFrame]]:
        """Pass over a place without a frame; what waited for it long enough."""
        # One place more makes one group overdue at most: each begins with a frame of its own.
        oldest = min(self._groups, key=lambda shape: self._groups[shape][0].order, default=None)
        if oldest is not None and order - self._groups[oldest][0].order >= self.window - 1:
            yield self._groups.pop(oldest)

    def flush(self) -> Iterator[list[ReadyFrame]]:
        """What is left, oldest first."""
        groups, self._groups = sorted(self._groups.values(), key=lambda g: g[0].order), {}
        yield from groups


class Reorder(Generic[T]):
    """Gives items back in the order of their numbers, 0, 1, 2, …, whatever order they come in."""

    def __init__(self) -> None:
        self._next = 0
        self._waiting: list[tuple[int, T]] = []

    def add(self, order: int, item: T) -> Iterator[T]:
        """Take one item; the items whose turn it is now."""
        heapq.heappush(self._waiting, (order, item))
        while self._waiting and self._waiting[0][0] == self._next:
            self._next += 1
            yield heapq.heappop(self._waiting)[1]
