"""Ctrl-C and termination: the first asks a run to end whole, the second ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from detectattn.cli.console import Notices
from detectattn.pipeline.channel import StopSignal


@contextmanager
def interrupt_on_termination() -> Iterator[None]:
    """Within the block, SIGTERM and a terminal that goes away interrupt as Ctrl-C does: what was started is ended."""

    def handle(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # nohup has it ignored
        numbers.append(signal.SIGHUP)
    with _handle_by(handle, numbers):
        yield


@contextmanager
def stop_on_signal(stop: StopSignal, notices: Notices, hurry: threading.Event | None = None) -> Iterator[None]:
    """Within the block, SIGINT and SIGTERM set ``stop`` with a KeyboardInterrupt; a second one raises it.

    Args:
        stop: Set by the first.
        notices: Told of it.
        hurry: Set by the second, for who cannot be broken into at any point: Ray's core ends the process then. A third
            one raises.
    """

    def handle(number: int, _: FrameType | None) -> None:
        if stop.is_set() and hurry is not None and not hurry.is_set():
            hurry.set()
            return
        if stop.is_set():
            raise KeyboardInterrupt
        notices.say("stopping: what is under way is finished first (interrupt again to stop at once)")
        # From a thread, because the interrupted code may hold the very lock that setting the signal needs.
        threading.Thread(target=stop.set, args=(KeyboardInterrupt(),), daemon=True).start()

    with _handle_by(handle, (signal.SIGINT, signal.SIGTERM)):
        yield


@contextmanager
def _handle_by(handle: Callable[[int, FrameType | None], None], numbers: Iterable[int]) -> Iterator[None]:
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
