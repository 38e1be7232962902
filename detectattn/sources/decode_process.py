"""One process that decodes, from the program's side: started, asked, listened to, timed, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from detectattn.sources.decode_messages import Message, read_message, write_message
from detectattn.sources.shared_pixels import SharedPixels, make_shared_pixels

WORKER = "detectattn.sources.decode_worker"
"""The module whose ``main`` is the work of the process."""

_END_S = 5.0
_NO_ANSWER = (ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What a process that decodes may take.

    Attributes:
        start_s: Until it is ready.
        picture_s: For a picture, a page or a frame.
        pixels_per_s: A picture has a second more for so many pixels.
        skipped_s: A frame of a video has so much more for each that is passed over before it.
        memory_bytes: Beyond what it has when it is ready; None for half of the machine's, of which 4 GiB is the least.
    """

    start_s: float = 60.0
    picture_s: float = 30.0
    pixels_per_s: float = 4e6
    skipped_s: float = 0.5
    memory_bytes: int | None = None


class DecodeEnded(Exception):
    """A process that decodes is no more.

    Attributes:
        how: In words, such as ``by SIGSEGV``.
        ready: Whether it had begun to answer at all.
        overdue_s: The time that it was given and passed; None where it ended by itself.
        killed: Whether it was killed from outside, as a system does that is short of memory.
    """

    def __init__(self, how: str, *, ready: bool, overdue_s: float | None, killed: bool) -> None:
        super().__init__(how)
        self.how = how
        self.ready = ready
        self.overdue_s = overdue_s
        self.killed = killed


class DecodeProcess:
    """A process that decodes. One thread asks and listens at a time; any may call :meth:`tick` and :meth:`kill`.

    Args:
        limits: What it may take.
        memory_bytes: As in the limits, but decided.

    Attributes:
        shared: Where its pixels are; None where they come with its answers.
        is_free: Whether it has answered all that it was asked.
        rested_s: For how long nobody has waited for it.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, limits: DecodeLimits, memory_bytes: int) -> None:
        self.shared = make_shared_pixels()
        self.is_free = True
        self.rested_s = 0.0
        self._limits = limits
        self._extra_s = 0.0
        self._ready = False
        self._lock = threading.Lock()
        self._waited_s: float | None = None
        self._limit_s = 0.0
        self._overdue_s: float | None = None
        self._process, self._lifeline = _start(self.shared, memory_bytes)
        self._requests = cast("BinaryIO", self._process.stdin)
        self._replies = cast("BinaryIO", self._process.stdout)

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it could answer."""
        return self._process.poll() is None

    def ask(self, request: Message, payload: Sequence[bytes] = (), *, extra_s: float = 0.0) -> None:
        """Send a request.

        Args:
            request: What is asked.
            payload: Bytes that go with it.
            extra_s: What each answer may take beyond the limit of a picture.

        Raises:
            DecodeEnded: The process is no more, or does not listen.
        """
        self.is_free = False
        self._extra_s = extra_s
        with self._timed():
            write_message(self._requests, request, payload)

    def go_on(self) -> None:
        """Let it send one frame more than it was let so far.

        Raises:
            DecodeEnded: The process is no more.
        """
        self.ask({"do": "next"}, extra_s=self._extra_s)

    def receive(self) -> tuple[dict[str, Any], bytearray]:
        """The next answer, and the bytes that came with it.

        Raises:
            DecodeEnded: The process is no more, or took too long.
        """
        with self._timed():
            while True:
                message, payload = read_message(self._replies)
                if message["is"] == "ready":
                    self._ready = True
                    self._grant(self._limits.picture_s + self._extra_s)
                elif message["is"] == "size":
                    self._grant(self._limits.picture_s + self._extra_s + message["pixels"] / self._limits.pixels_per_s)
                else:
                    self.is_free = message["is"] in ("end", "error")
                    return message, payload

    def tick(self, seconds: float) -> None:
        """So much time has passed. A process that is waited for beyond its limit is killed.

        Time is counted by whoever watches, for as long as that runs itself: a clock runs on while all of it is stopped.
        """
        with self._lock:
            if self._waited_s is None:
                self.rested_s += seconds
                return
            self._waited_s += seconds
            if self._waited_s <= self._limit_s:
                return
            self._overdue_s = self._limit_s
        self.kill()

    def kill(self) -> None:
        """End it, now."""
        self._process.kill()

    def close(self) -> None:
        """End it and let go of what it held."""
        self.kill()
        self._wait()
        with suppress(OSError):  # what was still to be sent
            self._requests.close()
        self._replies.close()
        self._lifeline.close()
        if self.shared is not None:
            with suppress(BufferError):  # another thread copies from it
                self.shared.close()

    def _grant(self, limit_s: float) -> None:
        with self._lock:
            self._waited_s, self._limit_s, self.rested_s = 0.0, limit_s, 0.0

    @contextmanager
    def _timed(self) -> Iterator[None]:
        self._grant(self._limits.picture_s + self._extra_s if self._ready else self._limits.start_s)
        try:
            yield
        except (EOFError, OSError, *_NO_ANSWER) as error:
            raise self._explain_end(error) from error
        finally:
            with self._lock:
                self._waited_s = None

    def _explain_end(self, error: Exception) -> DecodeEnded:
        if isinstance(error, _NO_ANSWER):
            self.close()
            how = "with an answer that is none"
        else:
            self._wait()
            how = _describe_exit(self._process.returncode)
        killed = how == "by SIGKILL" and self._overdue_s is None
        return DecodeEnded(how, ready=self._ready, overdue_s=self._overdue_s, killed=killed)

    def _wait(self) -> None:
        with suppress(subprocess.TimeoutExpired):  # it hangs in the system itself, which nothing ends
            self._process.wait(_END_S)


def _start(shared: SharedPixels | None, memory_bytes: int) -> tuple[subprocess.Popen[bytes], BinaryIO]:
    """Start the process; it, and the pipe that tells it when the program ends."""
    lifeline, ours = os.pipe()
    inherited = () if shared is None else (lifeline, shared.descriptor)
    # Away from the terminal, whose Ctrl-C is the program's. Not by multiprocessing, which would run the user's script.
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        process = subprocess.Popen(  # noqa: S603 - this very Python
            worker_command(inherited, memory_bytes),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=inherited,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # each thread of it takes address space
            **apart,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(lifeline)
    return process, os.fdopen(ours, "wb", 0)


def worker_command(inherited: Sequence[int], memory_bytes: int) -> list[str]:
    """The command that starts one: this Python, with the same module path and nothing of the working directory's."""
    path = [entry for entry in sys.path if isinstance(entry, str)]
    code = f"import sys; sys.path[:] = {path!r}; from {WORKER} import main; main({tuple(inherited)!r}, {memory_bytes})"
    return [sys.executable, "-P", "-c", code]


def _describe_exit(code: int | None) -> str:
    if code is None or code >= 0:
        return f"with exit code {code}"
    with suppress(ValueError):
        return f"by {signal.Signals(-code).name}"
    return f"by signal {-code}"
