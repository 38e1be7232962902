"""The time that a whole fetch may take."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self


class Clock:
    """The total time of a fetch. When it is up, the connection in use is cut, whatever waits on it.

    A timeout per read does not do: a server that sends a byte now and then never exceeds it.
    """

    def __init__(self, total_s: float) -> None:
        self._timer = threading.Timer(total_s, self._ring)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self.expired = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self.watch(None)

    def watch(self, connection: socket.socket | None) -> None:
        """Cut this connection when the time is up; forget the one before."""
        # A duplicate handle: the client wraps and detaches the original for TLS.
        fresh = None if connection is None else connection.dup()
        with self._lock:
            stale, self._handle = self._handle, fresh
            if self.expired:
                self._cut()
        if stale is not None:
            stale.close()

    def _ring(self) -> None:
        with self._lock:
            self.expired = True
            self._cut()

    def _cut(self) -> None:
        if self._handle is None:
            return
        try:
            self._handle.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # The other side was faster; a closed connection is what this wants.
