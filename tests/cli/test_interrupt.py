"""Signals: a run ends whole at the first, whoever can still be told of it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detectattn.cli.console import Notices
from detectattn.cli.interrupt import interrupt_on_termination, stop_on_signal
from detectattn.pipeline.channel import StopSignal

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@pytest.fixture(autouse=True)
def hangup() -> Iterator[None]:
    """Whatever starts the tests may have SIGHUP ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


def wait_for(stop: StopSignal) -> BaseException | None:
    deadline = time.monotonic() + 10
    while not stop.is_set() and time.monotonic() < deadline:
        time.sleep(0.01)
    return stop.error


def test_a_terminal_that_goes_away_stops_a_run_once() -> None:
    """The kernel tells of it, and the shell too: the second is no wish to hurry. Ctrl-C still is one."""
    stop = StopSignal()
    with stop_on_signal(stop, Notices(quiet=True)):
        send(signal.SIGHUP)
        assert isinstance(wait_for(stop), KeyboardInterrupt)
        send(signal.SIGHUP)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_a_run_may_have_been_asked_to_survive_its_terminal() -> None:
    """As ``nohup`` does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = StopSignal()
    with interrupt_on_termination(), stop_on_signal(stop, Notices(quiet=True)):
        send(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_a_run_within_what_ends_at_once_stops_whole_all_the_same() -> None:
    stop = StopSignal()
    with interrupt_on_termination():
        with stop_on_signal(stop, Notices(quiet=True)):
            send(signal.SIGHUP)
            assert isinstance(wait_for(stop), KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGHUP)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has it")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_stops_before_it_is_told(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = StopSignal()
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        with stop_on_signal(stop, Notices()), pytest.raises(OSError, match="No space left"):
            send(number)
        assert isinstance(wait_for(stop), KeyboardInterrupt)
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
