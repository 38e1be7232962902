"""The models of a study in this process, for tests to which processes of their own are nothing but a wait."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler

from detectattn.compare import messages as msg
from detectattn.compare.child import Child
from detectattn.compare.worker import _serve


class LocalChild(Child):
    """A real child but for its process: a thread does the same work, and hears and says the same through a pipe.

    Its memory is that of the tests. Real ones are what test_child.py, test_worker.py and tests/cli/test_compare.py are
    about.
    """

    def _start(self) -> None:
        self._connection, theirs = multiprocessing.Pipe()
        self._busy = True
        self._process = _Thread(theirs, self.spec, self._connection.close)  # type: ignore[assignment]  # in its place
        self._process.start()


class _Thread(threading.Thread):
    """What a study asks of a process."""

    def __init__(self, connection: Connection, spec: msg.WorkerSpec, hang_up: Callable[[], None]) -> None:
        super().__init__(name=f"model {spec.name}", daemon=True)
        self.exitcode: int | None = None
        self.kill = hang_up
        self._theirs = connection
        # Whatever is told to a process must be able to get there.
        self.spec: msg.WorkerSpec = ForkingPickler.loads(ForkingPickler.dumps(spec))

    def run(self) -> None:
        with closing(self._theirs):
            try:
                _serve(self._theirs, self.spec, time.time())
            except (EOFError, OSError):
                return  # Nobody is left to tell, as in `serve`.
