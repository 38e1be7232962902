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

    with _handle_by(handle, (signal.SIGTERM, *_list_hangups())):
        yield


@contextmanager
def stop_on_signal(stop: StopSignal, notices: Notices, hurry: threading.Event | None = None) -> Iterator[None]:
    """Within the block, SIGINT, SIGTERM and SIGHUP set ``stop`` with a KeyboardInterrupt; a second one raises it.

    Of a terminal that goes away a process hears more than once, from the kernel and from the shell: SIGHUP never is the
    second. Where it is ignored, as under nohup, it stays so.

    Args:
        stop: Set by the first.
        notices: Told of it.
        hurry: Set by the second, for who cannot be broken into at any point: Ray's core ends the process then. A third
            one raises.
    """
    hangups = _list_hangups()

    def handle(number: int, _: FrameType | None) -> None:
        if stop.is_set() and number in hangups:
            return
        if stop.is_set() and hurry is not None and not hurry.is_set():
            hurry.set()
            return
        if stop.is_set():
            raise KeyboardInterrupt
        # From a thread, because the interrupted code may hold the very lock that setting the signal needs. Before it is
        # told, which may take long or fail where nobody reads any more.
        threading.Thread(target=stop.set, args=(KeyboardInterrupt(),), daemon=True).start()
        notices.say("stopping: what is under way is finished first (interrupt again to stop at once)")

    with _handle_by(handle, (signal.SIGINT, signal.SIGTERM, *hangups)):
        yield


def _list_hangups() -> tuple[int, ...]:
    """The signal of a terminal that goes away, unless the system has none, or it is ignored, as under nohup."""
    if not hasattr(signal, "SIGHUP") or signal.getsignal(signal.SIGHUP) in (signal.SIG_IGN, None):
        return ()
    return (signal.SIGHUP,)


@contextmanager
def _handle_by(handle: Callable[[int, FrameType | None], None], numbers: Iterable[int]) -> Iterator[None]:
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
