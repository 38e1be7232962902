"""The time that a whole fetch may take."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Self


class Clock:
    """The total time of a fetch. When it is up, the connection in use is cut, whatever waits on it.

    A timeout per read does not do: a server that sends a byte now and then never exceeds it.
    """

    def __init__(self, total_s: float) -> None:
        self._changed = threading.Condition()
        self._deadline_s = time.monotonic() + total_s
        self._is_over = False
        self._handle: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="fetch-clock", daemon=True)
        self.expired = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self.watch(None)

    def renew(self, total_s: float) -> None:
        """Count from now on; the fetch has come to where it deserves as much time again."""
        with self._changed:
            before_s, self._deadline_s = self._deadline_s, time.monotonic() + total_s
            if self._deadline_s < before_s:
                self._changed.notify()

    def watch(self, connection: socket.socket | None) -> None:
        """Cut this connection when the time is up; forget the one before."""
        # A duplicate handle: the client wraps and detaches the original for TLS.
        fresh = None if connection is None else connection.dup()
        with self._changed:
            stale, self._handle = self._handle, fresh
            if self.expired:
                self._cut()
        if stale is not None:
            stale.close()

    def _run(self) -> None:
        with self._changed:
            while not self._is_over:
                left_s = self._deadline_s - time.monotonic()
                if left_s <= 0:
                    self.expired = True
                    self._cut()
                    return
                self._changed.wait(min(left_s, threading.TIMEOUT_MAX))

    def _cut(self) -> None:
        if self._handle is None:
            return
        try:
            self._handle.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # The other side was faster; a closed connection is what this wants.
