"""Limits under which hostile input is read: whoever gives in to it fails here, not the machine."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

ROOM_BYTES = 768 * 1024**2
HANG_S = 60


@pytest.fixture
def limited() -> Iterator[None]:
    """A test that may take 768 MB more than there is, and a minute."""
    with limit_memory(ROOM_BYTES), limit_time(HANG_S):
        yield


@contextmanager
def limit_memory(room: int) -> Iterator[None]:
    """Let the block take so many bytes more of address space; beyond them Python raises ``MemoryError``."""
    if sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def limit_time(seconds: int) -> Iterator[None]:
    """Interrupt a block that hangs."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
