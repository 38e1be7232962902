"""A process that decodes for another: it reads what it is asked on standard input and answers on standard output.

It is started with nothing of the program in it but its module path, keeps nothing, and ends with the program: when
standard input ends, or, in the midst of a decoder that never returns, by the signal of a pipe whose other end is gone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from detectattn.sources import iter_frames
from detectattn.sources.base import ReadOptions
from detectattn.sources.decode_messages import (
    Message,
    from_error,
    read_message,
    send_frame,
    to_options,
    write_message,
)
from detectattn.sources.shared_pixels import SharedPixels, open_shared_pixels
from detectattn.types import Frame, Media


def main(inherited: tuple[int, int] | tuple[()], memory_bytes: int) -> None:
    """Decode until there is nobody left to ask; the whole work of the process.

    Args:
        inherited: Two descriptors, or none: a pipe whose other end closes when the program ends, however it does, and
            the file for pixels (see :class:`SharedPixels`), which otherwise come after the message.
        memory_bytes: What decoding may take beyond what the process has once it is ready.
    """
    requests, replies = _take_over_streams()
    if inherited:
        end_with(inherited[0])
    import detectattn.sources.image  # noqa: F401 - most of what most requests need

    limit_resources(memory_bytes)
    worker = Worker(requests, replies, open_shared_pixels(inherited[1]) if inherited else None)
    with suppress(EOFError, BrokenPipeError):  # the program is no more
        write_message(replies, {"is": "ready"})
        while True:
            worker.answer()


class Worker:
    """Answers requests, one at a time.

    Args:
        requests: Where they come from.
        replies: Where answers go.
        shared: Where pixels go; None for into the answers.
    """

    def __init__(self, requests: BinaryIO, replies: BinaryIO, shared: SharedPixels | None) -> None:
        self._requests = requests
        self._replies = replies
        self._shared = shared

    def answer(self) -> None:
        """Wait for one request and answer it.

        Raises:
            EOFError, BrokenPipeError: The program is no more.
        """
        message, payload = read_message(self._requests)
        source = str(message["source"])
        answers: dict[str, Callable[[Message, bytearray], None]] = {"frames": self._send_frames, "probe": self._probe}
        try:
            answers[message["do"]](message, payload)
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - decoders raise anything; it is raised where frames are asked for
            write_message(self._replies, from_error(error, source))
        else:
            write_message(self._replies, {"is": "end"})

    def _send_frames(self, message: Message, payload: bytearray) -> None:
        options = replace(to_options(message["options"]), on_size=self._tell_size)
        location = bytes(payload) if message["path"] is None else Path(message["path"])
        media = Media(str(message["source"]), message["kind"], location, PurePosixPath("x"))
        if self._shared is not None:
            self._shared.begin()
        with closing(_iter_frames(media, options)) as frames:
            for frame in frames:
                send_frame(self._replies, frame, self._shared)
                del frame
                # Each waits to be allowed, so that no more than two are in the memory that is shared.
                read_message(self._requests)

    def _probe(self, message: Message, _: bytearray) -> None:
        from detectattn.sources.video import probe_video

        write_message(self._replies, {"is": "info", "info": asdict(probe_video(Path(message["path"])))})

    def _tell_size(self, pixels: int) -> None:
        write_message(self._replies, {"is": "size", "pixels": pixels})


def _iter_frames(media: Media, options: ReadOptions) -> Generator[Frame]:
    yield from iter_frames(media, options)


def _take_over_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for messages alone: what a decoder prints goes nowhere."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for taken in (0, 1):
        os.dup2(nowhere, taken)
    os.close(nowhere)
    return requests, replies


def end_with(lifeline: int) -> None:
    """End this process when the other end of a pipe closes, whatever it is doing then.

    A thread that waits for it would not do: a decoder may hold Python's lock for ever. A signal asks nobody.
    """
    import fcntl

    with suppress(OSError):  # a system that cannot do it of pipes, or nothing to read, which is as it should be
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)  # SIGIO, which ends whoever has no use for it
        if not os.read(lifeline, 1):  # closed before
            sys.exit()


def limit_resources(memory_bytes: int) -> None:
    """Take no more memory than that beyond what is taken now, be the first to go when there is none, dump no core.

    Where the system knows no such thing, nothing is limited.
    """
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    try:
        import resource
    except ImportError:
        return
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError):
        most = _read_own_bytes() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _read_own_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
