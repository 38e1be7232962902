"""Queues between threads that never outlive a run: every wait ends when the run stops."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from math import inf
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")

_POLL_S = 0.1


class Stopped(Exception):
    """The run is stopping; raised out of every wait."""


class Waiting(Protocol):
    """Whatever has threads that wait in it, and may have to be woken."""

    def wake(self) -> None:
        """Let waiters look at the stop signal again."""
        ...


class StopSignal:
    """One event that every queue of a run observes, with the first error that set it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._watching: list[Waiting] = []
        self.error: BaseException | None = None

    def set(self, error: BaseException | None = None) -> None:
        """Stop the run. The first error given is kept, later ones are its consequences."""
        with self._lock:
            if self.error is None and not isinstance(error, Stopped):
                self.error = error
            self._event.set()
            watching = list(self._watching)
        for waiting in watching:
            waiting.wake()

    def is_set(self) -> bool:
        """Whether the run is stopping."""
        return self._event.is_set()

    def watch(self, waiting: Waiting) -> None:
        """Wake its waiters when the run stops."""
        with self._lock:
            self._watching.append(waiting)


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
                taken = [self._items.popleft()]
                self._changed.notify_all()
            # Not by a name, which would keep the item until the next one comes.
            yield taken.pop()

    def wake(self) -> None:
        """Let waiters look at the stop signal again."""
        with self._changed:
            self._changed.notify_all()


def wait_for(future: Future[T], stop: StopSignal, limit_s: float = inf) -> T:
    """A future's outcome.

    Raises:
        Stopped: The run is stopping and the future is not done.
        FutureTimeoutError: It is not done after ``limit_s`` seconds of waiting.
    """
    waited_s = 0.0
    while not future.done():
        # What the job raises may be a TimeoutError itself: it is raised below.
        with suppress(FutureTimeoutError):
            future.exception(timeout=_POLL_S)
            break
        waited_s += _POLL_S
        if stop.is_set() and not future.done():
            raise Stopped
        if waited_s >= limit_s:
            raise FutureTimeoutError
    return future.result()


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

    def leave(self, names: Collection[str]) -> None:
        """Wait no longer for the threads of those names, which may never end."""
        self._threads = [thread for thread in self._threads if thread.name not in names]

    def join(self, timeout_s: float) -> list[str]:
        """Wait for all threads, ``timeout_s`` in all; names of those that are stuck in a library."""
        deadline_s = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
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
            del future, job, inputs  # or their pixels would stay until the next job comes
