"""The first call into a runtime, made by one thread alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class FirstAlone:
    """Lets calls run side by side, once one of them has come back.

    Bindings set up static tables within the first call and may give up Python's lock while they do. A second thread
    that comes into the same code then waits for the table, holding the lock that the first one waits for, and the whole
    process hangs: OpenVINO 2026.4 does so when its first inferences begin at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._came_back = False

    def run(self, call: Callable[[], T]) -> T:
        """What ``call`` gives."""
        if not self._came_back:
            with self._lock:
                if not self._came_back:
                    outcome = call()
                    self._came_back = True
                    return outcome
        return call()
