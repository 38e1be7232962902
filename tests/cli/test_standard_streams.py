"""Logs and results that nobody takes any more: a command goes on, and says so only where something is lost."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest

from detectattn.cli.app import run
from detectattn.cli.console import Notices, show_progress
from detectattn.cli.exit_codes import EXIT_BUG, EXIT_FAILED, EXIT_PARTIAL
from detectattn.cli.standard_streams import BearingStream, bear_losses
from detectattn.pipeline.tally import RunTally
from detectattn.records import manifest_from_json
from detectattn.weights import registry

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has it")


@pytest.fixture
def full() -> Iterator[TextIO]:
    """A disk without any space."""
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        yield stream


@pytest.fixture
def unread() -> Iterator[TextIO]:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield stream


@needs_full
def test_a_run_does_its_work_though_nobody_hears_of_it(
    detectattn: Any, full: TextIO, unread: TextIO, noon: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log's disk is full, and the reader of the results has gone."""
    for name in "abc":
        (tmp_path / f"{name}.jpg").write_text("no picture")
    monkeypatch.setattr(sys, "stderr", full)
    monkeypatch.setattr(sys, "stdout", unread)
    outcome = detectattn("predict", *tmp_path.glob("?.jpg"), noon, "-m", "demo-yolo", "-v", "--no-images", "-o", "out")
    assert (outcome.code, outcome.out, outcome.err) == (EXIT_PARTIAL, "", "")
    manifest = manifest_from_json(Path("out/run.json").read_text())
    assert (manifest.status, len(manifest.failures)) == ("finished", 3)


@needs_full
def test_results_that_find_no_space_are_an_error_of_a_whole_run(
    detectattn: Any, full: TextIO, noon: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", full)
    outcome = detectattn("predict", noon, "-m", "demo-yolo", "-q", "--json", "--no-images", "-o", "out")
    assert outcome.code == EXIT_FAILED
    assert outcome.err.startswith("error: standard output cannot be written: No space left on device. ")
    assert outcome.err.count("\n") == 1
    assert manifest_from_json(Path("out/run.json").read_text()).status == "finished"


def test_a_reader_that_has_gone_is_no_failure(detectattn: Any, unread: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", unread)
    assert detectattn("models", "list").code == 0
    outcome = detectattn("models", "path", "no-such-model")
    assert outcome.code == EXIT_FAILED
    assert outcome.err.startswith("error: ")


def test_another_broken_pipe_is_not_taken_for_a_reader(
    detectattn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One to a child process, which Typer would end with: exit code 1, and not a word."""

    def refuse() -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(registry, "load_registry", refuse)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    outcome = detectattn("models", "list")
    assert outcome.code == EXIT_BUG
    assert "BrokenPipeError: [Errno 32] Broken pipe" in outcome.err


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_closed_stream_takes_nothing(name: str, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has None for it."""
    monkeypatch.setattr(sys, name, None)
    assert run(["models", "list"]) == 0
    assert run(["models", "path", "no-such-model"]) == EXIT_FAILED
    assert getattr(sys, name) is None
    told = capfd.readouterr()
    assert (bool(told.out), bool(told.err)) == (name != "stdout", name != "stderr")


def test_a_closed_standard_input_is_named(detectattn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    outcome = detectattn("predict", "-", "-m", "demo-yolo")
    assert outcome.code == EXIT_FAILED
    assert outcome.err.startswith("error: standard input is closed. ")


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")
def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """Libraries write warnings to descriptor 2, whatever it is."""
    (tmp_path / "file").touch()
    code = (
        "import os, sys; from detectattn.cli.standard_streams import open_closed_descriptors as fill; fill(); "
        "number = os.open('file', os.O_RDONLY); os.write(2, b'a warning'); sys.exit(number)"
    )
    shell = f'{sys.executable} -c "{code}" <&- >&- 2>&-'
    done = subprocess.run(["bash", "-c", shell], cwd=tmp_path, check=False)
    assert done.returncode > 2


@pytest.mark.skipif(os.name == "nt", reason="POSIX terminals")
def test_a_terminal_that_goes_away_under_a_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    failed: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda found: failed.append(found.exc_value))
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with bear_losses() as streams:
            with show_progress(RunTally(), 9, "images", quiet=False):
                assert os.read(ours, 1)  # the bar is there
                os.close(ours)
                Notices().warn("nobody reads this")
            assert isinstance(streams.err.loss, OSError)
    assert failed == []


def refuse(error: Exception) -> Callable[..., int]:
    def write(_text: str = "") -> int:
        raise error

    return write


@pytest.mark.parametrize(
    "error",
    [OSError(5, "Input/output error"), ValueError("I/O operation on closed file"), RuntimeError("reentrant call")],
)
def test_what_cannot_be_written_is_dropped(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    bearing = BearingStream(stream)
    print("one", file=bearing)
    monkeypatch.setattr(bearing, "_stream", type("Lost", (), {"write": refuse(error), "flush": refuse(error)}))
    print("two", file=bearing, flush=True)
    assert bearing.loss is error
    monkeypatch.setattr(bearing, "_stream", stream)
    print("three", file=bearing)
    assert stream.getvalue() == "one\nthree\n"


def test_a_character_that_an_encoding_lacks_is_not_dropped() -> None:
    bearing = BearingStream(io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    with pytest.raises(UnicodeEncodeError):
        print("…", file=bearing)
