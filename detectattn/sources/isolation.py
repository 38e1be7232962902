"""Decoding in processes of its own: a file that crashes its decoder, or keeps it busy for ever, costs itself alone."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from detectattn.errors import DecoderCrashed, DecoderHung, DetectattnError, SourceError
from detectattn.machine import count_usable_cores, read_memory_bytes
from detectattn.sources.base import ReadOptions
from detectattn.sources.decode_messages import Message, from_options, to_error, to_frame
from detectattn.sources.decode_process import DecodeEnded, DecodeLimits, DecodeProcess
from detectattn.sources.naming import to_one_line
from detectattn.types import Frame, Media

DEFAULT_LIMITS = DecodeLimits()

_Answer: TypeAlias = tuple[Message, bytearray] | DetectattnError | None
_TICK_S = 0.1
_REST_S = 60.0
_MOST_KEPT = 16
_LEAST_MEMORY_BYTES = 4 * 1024**3
_MOST_KEPT_BYTES = 256 * 1024**2
_LEAVE_OUT = "Look at the file with another program, convert it, or leave it out"


@contextmanager
def open_isolation(mode: str, limits: DecodeLimits | None = None) -> Iterator[DecodePool | None]:
    """Processes that decode within the block; none is started before it is needed, none is left after it.

    Args:
        mode: ``auto`` for doubtful files, ``all`` for every file, ``none``.
        limits: What each process may take; None for the usual.

    Yields:
        What :class:`~detectattn.sources.base.ReadOptions` takes as ``isolation``. None where this Python cannot be
        started again, as in a program that was packed into one file.
    """
    if mode == "none" or not sys.executable or getattr(sys, "frozen", False):
        yield None
        return
    pool = DecodePool(everything=mode == "all", limits=limits)
    try:
        yield pool
    finally:
        pool.close()


class DecodePool:
    """Processes that decode: started when they are needed, used again, replaced when they die, ended when they rest.

    There are as many as media are open at once: were there fewer, media that wait to be read on could keep them all
    from the one that is being read. As many are kept as there are cores. Safe to use from several threads.

    Args:
        everything: Whether formats that are otherwise trusted are decoded there, too.
        limits: What each process may take; None for the usual.

    Attributes:
        everything: As given.
    """

    def __init__(self, *, everything: bool = False, limits: DecodeLimits | None = None) -> None:
        self.everything = everything
        self._limits = limits or DEFAULT_LIMITS
        self._memory_bytes = self._limits.memory_bytes or _choose_memory_bytes()
        self._most_kept = min(_MOST_KEPT, count_usable_cores())
        self._lock = threading.Lock()
        self._idle: list[DecodeProcess] = []
        self._processes: set[DecodeProcess] = set()
        self._watcher: threading.Thread | None = None
        self._closed = threading.Event()

    def iter_frames(self, media: Media, options: ReadOptions, content: bytes | None = None) -> Generator[Frame]:
        """Decode a picture or a video. Closing the generator early ends the process, which may be busy.

        Args:
            media: What to decode: a file, or encoded bytes.
            options: How.
            content: The bytes of a file that can be read only once; None to have it read by the process.

        Raises:
            DecoderCrashed, DecoderHung: The frames before have been yielded.
            SourceError: As decoding it here would.
        """
        location = media.location if content is None else content
        extra_s = (options.vid_stride - 1) * self._limits.skipped_s if media.kind == "video" else 0.0
        request = {
            "do": "frames",
            "source": media.source,
            "kind": media.kind,
            "path": str(location.absolute()) if isinstance(location, Path) else None,
            "options": from_options(options),
        }
        payload = [location] if isinstance(location, bytes) else []
        with ExitStack() as stack:
            process = self._take(media.source)
            stack.callback(self._give_back, process)
            answer = _ask(process, media.source, request, payload, extra_s)
            while isinstance(answer, tuple):
                frame = to_frame(media, *answer, process.shared)
                answer = _listen(process, media.source)
                if not isinstance(answer, tuple):
                    stack.close()  # A single picture's process is free before the picture is used.
                yield frame
        if answer is not None:
            raise answer

    def probe_video(self, path: Path) -> dict[str, Any]:
        """What a video file declares: the fields of :class:`~detectattn.sources.video.VideoInfo`.

        Raises:
            DecoderCrashed, DecoderHung, SourceError: As for :meth:`iter_frames`.
        """
        source = str(path)
        process = self._take(source)
        try:
            request = {"do": "probe", "source": source, "path": str(path.absolute())}
            info = _ask(process, source, request)
            ended = _listen(process, source) if isinstance(info, tuple) else info
        finally:
            self._give_back(process)
        if isinstance(ended, DetectattnError):
            raise ended
        assert isinstance(info, tuple)
        declared = info[0]["info"]
        return {**declared, "size_hw": tuple(declared["size_hw"])}

    def pids(self) -> tuple[int, ...]:
        """The processes that there are now."""
        with self._lock:
            return tuple(process.pid for process in self._processes)

    def close(self) -> None:
        """End all processes."""
        self._closed.set()
        with self._lock:
            processes, watcher = list(self._processes), self._watcher
        for process in processes:
            process.kill()
        for process in processes:
            process.close()
        if watcher is not None:
            watcher.join()

    def _take(self, source: str) -> DecodeProcess:
        """One that is free, or a new one."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.is_alive:
                    return process
                self._discard(process)
            if self._closed.is_set():
                raise RuntimeError("read on after its run has ended")
            try:
                process = DecodeProcess(self._limits, self._memory_bytes)
            except OSError as error:
                raise _to_unavailable(source, error.strerror or str(error)) from error
            self._processes.add(process)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._count_time, name="decode-watch", daemon=True)
                self._watcher.start()
            return process

    def _give_back(self, process: DecodeProcess) -> None:
        kept_bytes = 0 if process.shared is None else process.shared.nbytes
        is_fit = process.is_free and process.is_alive and kept_bytes <= _MOST_KEPT_BYTES
        with self._lock:
            if is_fit and len(self._idle) < self._most_kept and not self._closed.is_set():
                self._idle.append(process)
                return
            self._discard(process)

    def _discard(self, process: DecodeProcess) -> None:
        self._processes.discard(process)
        process.close()

    def _count_time(self) -> None:
        """Tell every process how time goes by, for as long as there is one; a thread of its own."""
        while not self._closed.wait(_TICK_S):
            with self._lock:
                for process in [process for process in self._idle if process.rested_s > _REST_S]:
                    self._idle.remove(process)
                    self._discard(process)
                if not self._processes:
                    self._watcher = None
                    return
                processes = list(self._processes)
            for process in processes:
                process.tick(_TICK_S)


def _ask(
    process: DecodeProcess, source: str, request: Message, payload: Sequence[bytes] = (), extra_s: float = 0.0
) -> _Answer:
    try:
        process.ask(request, payload, extra_s=extra_s)
    except DecodeEnded as ended:
        return _explain(ended, source)
    return _listen(process, source)


def _listen(process: DecodeProcess, source: str) -> _Answer:
    """The next frame, after which the process works on the one that follows; None at the end; or what went wrong."""
    try:
        message, payload = process.receive()
    except DecodeEnded as ended:
        return _explain(ended, source)
    if message["is"] == "frame":
        with suppress(DecodeEnded):  # which the next answer, or the lack of it, will tell
            process.go_on()
    elif message["is"] != "info":
        return to_error(message) if message["is"] == "error" else None
    return message, payload


def _explain(ended: DecodeEnded, source: str) -> DetectattnError:
    name = to_one_line(source)
    if not ended.ready:
        late = "" if ended.overdue_s is None else f", after {ended.overdue_s:.0f} s"
        return _to_unavailable(source, f"it ended {ended.how}{late}")
    if ended.overdue_s is not None:
        problem = f"{name} kept its decoder busy for more than {ended.overdue_s:.0f} s, which was then ended"
        return DecoderHung(problem, hint=_LEAVE_OUT)
    if ended.killed:
        problem = f"the decoder of {name} was killed (SIGKILL), as a system does that is short of memory"
        return DecoderCrashed(problem, hint="Scale it down, or leave more memory free")
    return DecoderCrashed(f"{name} crashed its decoder, which ended {ended.how}", hint=_LEAVE_OUT)


def _to_unavailable(source: str, reason: str) -> SourceError:
    problem = f"the process that should decode {to_one_line(source)} cannot be started ({reason})"
    return SourceError(problem, hint="Free some memory, or decode in the program itself with --isolate none")


def _choose_memory_bytes() -> int:
    return max(_LEAST_MEMORY_BYTES, (read_memory_bytes() or 0) // 2)
