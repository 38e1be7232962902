"""Start, ask and end the child process of a model, from the study's side."""

from __future__ import annotations

import multiprocessing
import time
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

    Raises:
        DetectattnError: The model cannot be loaded.
    """

    def __init__(self, spec: msg.WorkerSpec) -> None:
        # Spawned, not forked: a child must not inherit threads, caches or memory of the study.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self.name = spec.name
        self._process = context.Process(
            target=serve, args=(theirs, spec, time.time()), name=f"model {spec.name}", daemon=True
        )
        self._process.start()
        theirs.close()
        try:
            self.loaded = self._receive(msg.Loaded)
        except BaseException:
            self.close()
            raise

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
        try:
            self._connection.send(request)
        except OSError as error:
            raise self._died() from error
        return self._receive(wanted)

    def close(self) -> None:
        """End the process, by force if it does not go."""
        if self._process.is_alive():
            try:
                self._connection.send(msg.Leave())
            except OSError:
                self._process.terminate()
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
