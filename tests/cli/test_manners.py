"""What a run leaves behind and whom it calls: nothing but its folder, nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli.exit_codes import EXIT_PARTIAL
from detectattn.records import iter_records, manifest_from_json

# Loaded by the interpreter before anything else: writes down every connection, look-up and started process.
_WATCHER = """
import os, sys
log = os.open({log!r}, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
watched = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.posix_spawn",
           "os.system", "os.exec", "os.fork")
def watch(event, details):
    if event in watched:
        os.write(log, (event + " " + repr(details)[:200] + "\\n").encode())
sys.addaudithook(watch)
"""


@pytest.fixture
def watched_env(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """Environment that makes a child process log what it connects to and starts, and the log."""
    folder, log = tmp_path / "watcher", tmp_path / "events.log"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_WATCHER.format(log=str(log)))
    return {"PYTHONPATH": str(folder)}, log


def list_files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(params=["embedded", "pt", "openvino"])
def model(request: pytest.FixtureRequest, save_checkpoint: Callable[[str], Path]) -> str:
    """A model of each kind that loads in a way of its own."""
    if request.param == "openvino":
        return str(request.getfixturevalue("shared") / "models" / "yolov8n_int8_openvino_model")
    return "demo-rtdetr" if request.param == "embedded" else str(save_checkpoint("demo-rtdetr"))


def test_files_and_connections_of_a_run(
    spawn: Any, model: str, two_pictures: Path, tmp_path: Path, watched_env: Any
) -> None:
    """In an empty directory with an empty home."""
    env, log = watched_env
    work = tmp_path / "work"
    work.mkdir()
    done = spawn("predict", two_pictures, "-m", model, cwd=work, env=env)
    assert done.returncode == 0, done.stderr
    written = ("run.json", "predictions.jsonl", "images/noon.jpg", "images/yellow-bus.jpg")
    assert list_files(work) == {f"runs/predict-001/{name}" for name in written}
    at_home = list_files(tmp_path / "home")
    assert all(path.startswith(".cache/detectattn/") for path in at_home), at_home
    assert len(at_home) == (0 if "openvino" in model else 1)
    events = log.read_text().splitlines()
    assert [e for e in events if e.startswith("socket")] == []
    # Looking for fonts, where fontconfig is installed; and whatever torch asks of the machine while it is imported.
    started = [e for e in events if not e.startswith("socket") and "fc-" not in e]
    assert started == [], started


def test_the_watcher_sees(tmp_path: Path, watched_env: Any) -> None:
    """The test above could pass for want of eyes."""
    env, log = watched_env
    code = "import socket, contextlib\nwith contextlib.suppress(OSError): socket.create_connection(('127.0.0.1', 9), 1)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **env}, check=True)
    assert "socket.connect" in log.read_text()


def test_help_imports_nothing_heavy(spawn: Any, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from detectattn.cli.app import run\n"
        "run(['--help']); run(['predict', '--help'])\n"
        "names = 'torch ultralytics cv2 openvino av numpy httpx PIL rich'\n"
        "heavy = set(names.split()) & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "predict" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_leaves_a_whole_folder(street_clip: Path, tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "detectattn", "predict", str(street_clip), "-m", "demo-yolo", "--save", "coco,csv"]
    folder = tmp_path / "runs" / "predict-001"
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        records = folder / "predictions.jsonl"
        deadline = time.monotonic() + 60
        while not (records.exists() and records.stat().st_size > 5_000) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    manifest = manifest_from_json((folder / "run.json").read_text())
    count = len(list(iter_records(records)))
    assert (manifest.status, manifest.counts["frames"]) == ("interrupted", count)
    assert 0 < count < 200
    assert frames_in(folder / "videos" / street_clip.name) == count
    assert not list(folder.rglob("*.part*"))


def frames_in(path: Path) -> int:
    import av

    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_pipe_closed_early(noon: Path, tmp_path: Path) -> None:
    """By a reader that is gone before the first line, as ``head`` may be before the last."""
    broken = tmp_path / "broken.jpg"
    broken.write_text("no picture")
    shell = (
        f"{sys.executable} -m detectattn predict {noon} {broken} -m demo-yolo -q --json | true; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", shell], cwd=tmp_path, capture_output=True, text=True, check=False)
    told = "warning: 1 input failed; runs/predict-001/failures.jsonl says why\n"
    assert (done.returncode, done.stderr) == (EXIT_PARTIAL, told)
