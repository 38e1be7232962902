"""Standard streams that may be lost while a command runs: a reader gone, a terminal gone, a disk full."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TextIO, cast

# Of the system; of a stream that is closed; of a signal's handler that writes while the same thread is writing.
_LOSSES = (OSError, ValueError, RuntimeError)


class BearingStream:
    """A text stream that drops what cannot be written; all but writing is the stream's own.

    Args:
        stream: Where text goes.

    Attributes:
        loss: The first error in writing, None while all arrived.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.loss: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or drop what cannot be written.

        Raises:
            UnicodeError: The stream's encoding lacks a character, as for any other stream.
        """
        try:
            return self._stream.write(text)
        except UnicodeError:
            raise
        except _LOSSES as error:
            self.loss = self.loss or error
            return len(text)

    def flush(self) -> None:
        """Write what is pending, or leave it."""
        try:
            self._stream.flush()
        except _LOSSES as error:
            self.loss = self.loss or error

    def isatty(self) -> bool:
        """Whether a terminal is there."""
        try:
            return self._stream.isatty()
        except _LOSSES:
            return False

    def settle(self) -> None:
        """Write what is pending, or see that it is forgotten: the interpreter would fail over it at its end."""
        self.flush()
        if self.loss is None:
            return
        with suppress(*_LOSSES):  # it is closed, or no file
            descriptor = os.open(os.devnull, os.O_WRONLY)
            os.dup2(descriptor, self._stream.fileno())
            os.close(descriptor)


@dataclass(frozen=True, slots=True, eq=False)
class StandardStreams:
    """What replaces the two within a command.

    Attributes:
        out: Standard output.
        err: Standard error.
    """

    out: BearingStream
    err: BearingStream

    def describe_loss(self) -> str | None:
        """Why results did not arrive; None if they did, or if nobody is there to read them, as after ``| head``."""
        self.out.flush()
        loss = self.out.loss
        if loss is None or isinstance(loss, BrokenPipeError):
            return None
        return str(getattr(loss, "strerror", None) or loss)


@contextmanager
def bear_losses() -> Iterator[StandardStreams]:
    """Within the block, what the standard streams cannot take is dropped; one that is closed takes nothing."""
    out, err = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - a device, not a path
        streams = StandardStreams(BearingStream(out or nowhere), BearingStream(err or nowhere))
        sys.stdout, sys.stderr = cast("TextIO", streams.out), cast("TextIO", streams.err)
        try:
            yield streams
        finally:
            streams.out.settle()
            streams.err.settle()
            sys.stdout, sys.stderr = out, err


def open_closed_descriptors() -> None:
    """Open the null device on standard descriptors that are closed.

    The next file would get their numbers, and in it what libraries write to number 2.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            os.set_inheritable(number, True)
