"""Start, ask and end the child process of a model, from the study's side."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from types import TracebackType
from typing import TypeVar

from detectattn.compare import messages as msg
from detectattn.compare.worker import serve
from detectattn.errors import EngineError

ReplyType = TypeVar("ReplyType", bound=msg.Reply)

_LEAVE_S = 10.0


class Child:
    """A model in a process of its own.

    Args:
        spec: What to load.

    Attributes:
        name: The model's name in the study.
        spec: What it loads.
        loaded: What it told when it was first loaded, with nothing else at work.

    Raises:
        DetectattnError: The model cannot be loaded.
    """

    def __init__(self, spec: msg.WorkerSpec) -> None:
        self.name = spec.name
        self.spec = spec
        self._start()
        self.loaded = self._await_loaded()

    def _start(self) -> None:
        # Spawned, not forked: a child must not inherit threads, caches or memory of the study.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, self.spec, time.time()), name=f"model {self.name}", daemon=True
        )
        self._busy = True
        try:
            with _hold_interrupts():
                self._process.start()
            theirs.close()
        except BaseException:
            self.close()
            raise

    def _await_loaded(self) -> msg.Loaded:
        try:
            return self._receive(msg.Loaded)
        except BaseException:
            self.close()
            raise

    @property
    def meter(self) -> str | None:
        """Which meter tells the energy of its device, or None where none can be read."""
        return self.loaded.meter

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, request: msg.Request, wanted: type[ReplyType]) -> ReplyType:
        """Send a request and wait for its answer.

        Raises:
            DetectattnError: The child could not do it, or died over it.
        """
        self._busy = True
        try:
            self._connection.send(request)
        except OSError as error:
            raise self._died() from error
        return self._receive(wanted)

    def restart(self) -> None:
        """End the process and begin to load the model in a new one; call :meth:`await_restarted` before asking it."""
        self.close()
        self._start()

    def await_restarted(self) -> None:
        """Wait until the model is loaded again.

        Raises:
            DetectattnError: It cannot be.
        """
        self._await_loaded()

    def close(self) -> None:
        """End the process, by force if it does not go."""
        if self._process.is_alive() and not self._busy:
            with suppress(OSError):  # It may be going already.
                self._connection.send(msg.Leave())
                self._process.join(_LEAVE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._connection.close()

    def _receive(self, wanted: type[ReplyType]) -> ReplyType:
        try:
            reply = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error
        self._busy = False
        if isinstance(reply, msg.Failed):
            raise reply.error
        assert isinstance(reply, wanted), f"asked for {wanted.__name__}, got {type(reply).__name__}"
        return reply

    def _died(self) -> EngineError:
        self._process.join(_LEAVE_S)
        code = self._process.exitcode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
        return EngineError(
            f"the process of model {self.name} ended {how}",
            hint="The machine may be out of memory: try a smaller --imgsz, or fewer models at once",
        )


@contextmanager
def _hold_interrupts() -> Iterator[None]:
    """Start children with Ctrl-C blocked, which they inherit: it is the study that ends them.

    A child that starts to ignore it by itself would print a traceback if it came before that.
    """
    if sys.platform == "win32":
        yield
        return
    # This helper process of Python's own unblocks Ctrl-C when it is started, so it must run already.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
