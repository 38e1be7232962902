"""Machines that give a run little: no home folder, nothing to write to, a cache that others use as well."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from detectattn.errors import ConfigError, DiskFull
from detectattn.records import iter_records
from detectattn.weights import ultralytics_env
from detectattn.weights.cache import cache_dir

CONTENT = b"PK\x03\x04" + bytes(range(256)) * 8


@pytest.fixture
def unwritable(tmp_path: Path) -> Path:
    """A folder in which this user cannot make anything."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    for folder in (locked, Path("/sys")):  # Permissions do not bind root; the kernel's own file system does.
        try:
            (folder / "detectattn-test").mkdir()
        except OSError:
            return folder
        (folder / "detectattn-test").rmdir()
    pytest.skip("this user may write everywhere")


def start(*words: object, cwd: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    """One command line in a process of its own that knows of no folders but those given."""
    bare = ("DETECTATTN", "YOLO", "XDG", "MPL", "HOME")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(bare)}
    return subprocess.Popen(
        [sys.executable, "-m", "detectattn", *(str(word) for word in words)],
        cwd=cwd,
        env={**clean, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_model_runs_where_nothing_but_the_output_can_be_written(
    unwritable: Path, street_images: Path, tmp_path: Path
) -> None:
    """Home and working directory are read-only: libraries get a folder that goes with the process."""
    out, temporary = tmp_path / "out", tmp_path / "tmp"
    temporary.mkdir()
    env = {"HOME": str(unwritable), "TMPDIR": str(temporary)}
    picture = street_images / "noon.jpg"
    child = start("predict", picture, "-m", "demo-yolo", "-q", "-o", out, cwd=unwritable, env=env)
    _, err = child.communicate(timeout=120)
    assert (child.returncode, err) == (0, "")
    assert [len(record.detections) > 0 for record in iter_records(out / "predictions.jsonl")] == [True]
    assert list(temporary.iterdir()) == []


def test_a_model_runs_without_a_home(
    detectattn: Any, street_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME", raising=False)
    outcome = detectattn("predict", street_images / "noon.jpg", "-m", "demo-yolo", "-o", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "out/predictions.jsonl").is_file()


def test_a_working_directory_that_cannot_be_written_is_named(
    detectattn: Any, unwritable: Path, street_images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(unwritable)
    outcome = detectattn("predict", street_images / "noon.jpg", "-m", "demo-yolo")
    assert outcome.code == 1
    assert "error: cannot write runs:" in outcome.err
    assert "choose another folder with -o" in outcome.err


def test_a_cache_that_cannot_be_written_is_named_before_anything_is_asked_for(
    detectattn: Any, unwritable: Path, http_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETECTATTN_CACHE", str(unwritable / "cache"))
    monkeypatch.setenv("DETECTATTN_WEIGHTS_URL", http_server.url)
    outcome = detectattn("models", "pull", "rtdetr-x")
    assert outcome.code == 1
    assert f"{unwritable / 'cache/weights/rtdetr-x.pt'} cannot be written" in outcome.err
    assert "point DETECTATTN_CACHE at another folder" in outcome.err
    assert http_server.requests == []


@pytest.mark.parametrize("command", ["predict", "compare", "explain", "export"])
def test_a_machine_without_a_temporary_folder_is_told_to_name_one(
    detectattn: Any, command: str, street_images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that may not write anywhere but to its volumes."""

    def refuse(prefix: str) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)
    words = ["demo-yolo"] if command == "export" else [street_images / "noon.jpg", "-m", "demo-yolo"]
    outcome = detectattn(command, *words)
    assert outcome.code == 1
    assert "error: no temporary folder can be made (No usable temporary directory found" in outcome.err
    assert "Set TMPDIR to a folder" in outcome.err
    assert list(Path().iterdir()) == []


def test_settings_have_no_place_at_all(unwritable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(prefix: str) -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setenv("DETECTATTN_CACHE", str(unwritable / "cache"))
    monkeypatch.setattr(ultralytics_env.tempfile, "mkdtemp", refuse)
    with pytest.raises(DiskFull, match="nor a temporary folder can be written") as caught:
        ultralytics_env._make_settings_folder()
    assert "TMPDIR" in caught.value.hint


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom the machine does not know, as containers have them, and no HOME."""

    def refuse(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "XDG_CACHE_HOME", "DETECTATTN_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", refuse)


@pytest.mark.usefixtures("nobody")
def test_a_user_whom_nobody_knows_is_told_to_name_a_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else a folder called ~ would appear in the working directory."""
    monkeypatch.chdir(tmp_path)
    for wanted in ("", "~/cache"):
        monkeypatch.setenv("DETECTATTN_CACHE", wanted)
        with pytest.raises(ConfigError, match="HOME is not set") as caught:
            cache_dir()
        assert caught.value.hint == "Set DETECTATTN_CACHE to a folder"
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    assert cache_dir() == tmp_path / "cache"


@pytest.fixture
def slow_weights(http_server: Any) -> Callable[[], None]:
    """Serves ``rtdetr-x.pt`` halfway; the rest follows when the function that this returns is called."""
    go_on = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[:1000])
        handler.wfile.flush()
        go_on.wait(30)
        with suppress(OSError):
            handler.wfile.write(CONTENT[1000:])

    http_server.routes["/v8.4.0/rtdetr-x.pt"] = answer
    return go_on.set


def test_two_commands_that_share_the_cache_download_once(
    http_server: Any, slow_weights: Callable[[], None], tmp_path: Path
) -> None:
    env = {
        "HOME": str(tmp_path),
        "DETECTATTN_CACHE": str(tmp_path / "cache"),
        "DETECTATTN_WEIGHTS_URL": http_server.url,
    }
    children = [start("models", "pull", "rtdetr-x", cwd=tmp_path, env=env) for _ in range(2)]
    for child in children:
        assert child.stderr is not None
        assert child.stderr.readline().startswith("Downloading rtdetr-x")
    slow_weights()
    ends = [(child.communicate(timeout=60), child.returncode) for child in children]
    assert [code for _, code in ends] == [0, 0], ends
    assert len(http_server.requests) == 1
    assert (tmp_path / "cache/weights/rtdetr-x.pt").read_bytes() == CONTENT
    assert list((tmp_path / "cache/weights").glob("*.part*")) == []
