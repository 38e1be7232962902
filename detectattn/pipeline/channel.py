"""Queues between threads that never outlive a run: every wait ends when the run stops."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_POLL_S = 0.1


class Stopped(Exception):
    """The run is stopping; raised out of every wait."""


class StopSignal:
    """One event that every queue of a run observes, with the first error that set it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._channels: list[Channel[Any]] = []
        self.error: BaseException | None = None

    def set(self, error: BaseException | None = None) -> None:
        """Stop the run. The first error given is kept, later ones are its consequences."""
        with self._lock:
            if self.error is None and not isinstance(error, Stopped):
                self.error = error
            self._event.set()
            channels = list(self._channels)
        for channel in channels:
            channel.wake()

    def is_set(self) -> bool:
        """Whether the run is stopping."""
        return self._event.is_set()

    def watch(self, channel: Channel[Any]) -> None:
        """Wake a channel's waiters when the run stops."""
        with self._lock:
            self._channels.append(channel)


class Channel(Generic[T]):
    """A bounded first-in, first-out queue with an end.

    Args:
        capacity: Items it holds before ``put`` waits.
        stop: Ends every wait, by :class:`Stopped`.
    """

    def __init__(self, capacity: int, stop: StopSignal) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._closed = False
        self._stop = stop
        self._changed = threading.Condition()
        stop.watch(self)

    def put(self, item: T) -> None:
        """Add an item, waiting while the queue is full.

        Raises:
            Stopped: The run is stopping.
        """
        with self._changed:
            while len(self._items) >= self._capacity and not self._stop.is_set():
                self._changed.wait()
            if self._stop.is_set():
                raise Stopped
            self._items.append(item)
            self._changed.notify_all()

    def close(self) -> None:
        """Say that nothing more will come; what is in the queue can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        """Take items until the queue is closed and empty.

        Raises:
            Stopped: The run is stopping.
        """
        while True:
            with self._changed:
                while not self._items and not self._closed and not self._stop.is_set():
                    self._changed.wait()
                if self._stop.is_set():
                    raise Stopped
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def take(self) -> T:
        """The oldest item of a queue that holds one."""
        with self._changed:
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def wake(self) -> None:
        """Let waiters look at the stop signal again."""
        with self._changed:
            self._changed.notify_all()


class Permits:
    """So many things may be under way at once.

    Args:
        count: How many.
        stop: Ends every wait, by :class:`Stopped`.
    """

    def __init__(self, count: int, stop: StopSignal) -> None:
        self._taken: Channel[None] = Channel(count, stop)

    def acquire(self) -> None:
        """Begin one, waiting while as many as are allowed are under way.

        Raises:
            Stopped: The run is stopping.
        """
        self._taken.put(None)

    def release(self) -> None:
        """One is done."""
        self._taken.take()


def wait_for(future: Future[T], stop: StopSignal) -> T:
    """A future's outcome.

    Raises:
        Stopped: The run is stopping and the future is not done.
    """
    while True:
        with suppress(FutureTimeoutError):
            return future.result(timeout=_POLL_S)
        if stop.is_set() and not future.done():
            raise Stopped


class Threads:
    """The daemon threads of a run: an exception in one of them stops all."""

    def __init__(self, stop: StopSignal) -> None:
        self._stop = stop
        self._threads: list[threading.Thread] = []

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread of that name."""

        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - handed to the run, which raises it
                self._stop.set(error)

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def join(self, timeout_s: float) -> list[str]:
        """Wait for all threads, ``timeout_s`` each at most; names of those that are stuck in a read."""
        for thread in self._threads:
            thread.join(timeout_s)
        return [thread.name for thread in self._threads if thread.is_alive()]


class Workers:
    """A fixed number of threads that do small jobs; the number of jobs that wait is bounded."""

    def __init__(self, count: int, name: str, threads: Threads, stop: StopSignal) -> None:
        self._stop = stop
        self._jobs: Channel[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = Channel(count, stop)
        for i in range(count):
            threads.start(f"{name}-{i}", self._work)

    def submit(self, job: Callable[..., T], *inputs: Any) -> Future[T]:
        """Hand in a job; waits while all workers are busy and as many jobs wait.

        Raises:
            Stopped: The run is stopping.
        """
        future: Future[T] = Future()
        self._jobs.put((future, job, inputs))
        return future

    def close(self) -> None:
        """No more jobs will come."""
        self._jobs.close()

    def _work(self) -> None:
        for future, job, inputs in self._jobs:
            try:
                future.set_result(job(*inputs))
            except BaseException as error:  # noqa: BLE001 - delivered through the future
                future.set_exception(error)
