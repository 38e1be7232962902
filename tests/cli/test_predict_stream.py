"""``predict`` on a stream as a service would run it: parts, heartbeat, signals, exit codes."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

import av
import pytest

from benchmarks.tiny_model import write_tiny_model
from detectattn.cli.predict_streams import is_live
from detectattn.config import PredictConfig, parse_reconnect, parse_rotate
from detectattn.errors import ConfigError
from detectattn.records import iter_records
from detectattn.types import Media
from tests.motion_jpeg import jpeg_part, send_parts

needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "onnxruntime"))), reason="onnx or its runtime is missing"
)


@pytest.mark.parametrize(("text", "attempts"), [("forever", None), ("0", 0), ("25", 25)])
def test_what_reconnect_takes(text: str, attempts: int | None) -> None:
    assert parse_reconnect(text) == attempts


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("", (None, None)),
        ("1h", (3600, None)),
        ("90s", (90, None)),
        ("1.5 h", (5400, None)),
        ("30min", (1800, None)),
        ("1d, 500MB", (86400, 500_000_000)),
        ("2gb", (None, 2_000_000_000)),
    ],
)
def test_what_rotate_takes(text: str, limit: tuple[float | None, int | None]) -> None:
    assert parse_rotate(text) == limit


@pytest.mark.parametrize("options", [{"reconnect": "never"}, {"reconnect": "-1"}, {"reconnect": ""}])
def test_what_reconnect_refuses(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="--reconnect"):
        PredictConfig(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0h", "1", "h", "1h,2h", "5MB,1GB", "1 week", "-1h", ","])
def test_what_rotate_refuses(text: str) -> None:
    with pytest.raises(ConfigError, match="--rotate"):
        PredictConfig(rotate=text)


def test_a_run_of_files_is_not_written_in_parts(detectattn: Any, noon: Path) -> None:
    outcome = detectattn("predict", noon, "-m", "demo-yolo", "--rotate", "1h")
    assert outcome.code == 2
    assert "--rotate is for streams and cameras" in outcome.err
    assert not Path("runs").exists()


def test_a_run_in_parts_is_not_resumed(detectattn: Any, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    config = {"sources": ["rtsp://cam/live"], "model": "demo-yolo", "conf": 0.25, "max_det": 300, "rotate": "1h"}
    manifest = {"schema": 1, "command": [], "status": "interrupted", "config": config, "models": []}
    rest: dict[str, Any] = {"versions": {}, "machine": {}, "counts": {}, "timing": {}, "failures": []}
    (run / "run.json").write_text(json.dumps({**manifest, **rest}))
    outcome = detectattn("predict", "--resume", run)
    assert outcome.code == 1
    assert "cannot be read again" in outcome.err
    assert [p.name for p in run.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("location", "kind", "sources", "live"),
    [
        ("rtsp://cam/live", "stream", ["rtsp://cam/live", "street"], True),
        (0, "stream", ["0"], True),
        ("http://cam/live", "url", ["http://cam/live"], True),
        ("http://cam/x.mjpg", "url", ["http://cam/x.mjpg"], True),
        ("http://host/x.mp4", "url", ["http://host/x.mp4"], False),
        ("http://host/x", "url", ["http://host/x", "http://host/y"], False),
        ("http://host/folder/x", "url", ["http://host/folder/"], False),
    ],
)
def test_what_is_read_as_it_comes(location: Any, kind: Any, sources: list[str], live: bool) -> None:
    first = Media(str(location), kind, location, PurePosixPath(str(location).rpartition("/")[2]))
    assert is_live(first, sources) is live


@pytest.fixture
def camera(http_server: Any) -> str:
    """A hundred pictures of two sizes a connection, then it hangs up, and after two connections is away for good."""
    sizes = [(48, 64), (48, 64), (96, 64)]  # the first is for who asks what there is

    def answer(handler: Any) -> None:
        if not sizes:
            handler.send_error(503)
            return
        parts = [jpeg_part(90, sizes.pop(0))] * 100
        send_parts(handler, parts, lambda _: http_server.stopping.wait(0.01))

    http_server.routes["/cam"] = answer
    return f"{http_server.url}/cam".replace("http://", "http://user:secret@")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts one command line in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def begin(*words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "detectattn", *(str(word) for word in words)]
        env = {**os.environ, "HOME": str(tmp_path), "DETECTATTN_CACHE": str(tmp_path / "cache")}
        process = subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def await_beat(run: Path, process: subprocess.Popen[str], **wanted: object) -> dict[str, Any]:
    path = run / "heartbeat.json"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        beat = json.loads(path.read_text()) if path.exists() else {}
        if wanted.items() <= beat.items():
            return beat
        time.sleep(0.02)
    raise AssertionError(process.communicate(timeout=5)[1])


@needs_onnx
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_whole_while_its_stream_is_away(
    start: Any, camera: str, tmp_path: Path, number: signal.Signals
) -> None:
    model, run = write_tiny_model(tmp_path / "tiny.onnx"), tmp_path / "run"
    process = start("predict", camera, "-m", model, "-o", run, "--save", "csv", "--rotate", "1h,1kB")
    beat = await_beat(run, process, state="reconnecting", reconnects=1)
    assert beat["pid"] == process.pid
    time.sleep(0.5)
    written = len(list(iter_records(run)))
    process.send_signal(number)
    err = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert "secret" not in err
    assert "warning: stream 'http://***@127.0.0.1" in err
    last = json.loads((run / "heartbeat.json").read_text())
    manifest = json.loads((run / "run.json").read_text())
    assert (last["state"], last["status"], manifest["status"]) == ("ended", "interrupted", "interrupted")
    predictions = list(iter_records(run))
    assert len(predictions) == written  # none waits for a next one
    model_info = manifest["models"][0]
    assert (model_info["hint"], model_info["batch"]) == ("latency", 1)
    counts = manifest["counts"]
    assert counts["frames"] == len(predictions) == last["frames"]
    assert counts["dropped"] + counts["frames"] <= 200
    assert (counts["reconnects"], counts["failures"]) == (1, 0)
    assert {p.size_hw for p in predictions} == {(48, 64), (96, 64)}
    parts = sorted((run / "predictions").glob("*.jsonl"))
    assert len(parts) > 2
    for part in parts:
        one = list(iter_records(part))
        (video,) = (run / "videos").glob(f"*-{part.stem[-5:]}.mp4")
        with av.open(video) as container:
            pictures = list(container.decode(video=0))
        assert len(pictures) == len(one)
        assert {(p.height, p.width) for p in pictures} == {p.size_hw for p in one}
        rows = list(csv.DictReader(part.with_suffix(".csv").open()))
        assert len(rows) == sum(len(p.detections) for p in one)
    assert not list(run.rglob("*.part*"))


@needs_onnx
def test_a_stream_that_never_answered_ends_with_an_error(detectattn: Any, refusing_url: str, tmp_path: Path) -> None:
    address, model = refusing_url.replace("http://", "tcp://"), write_tiny_model(tmp_path / "tiny.onnx")
    outcome = detectattn("predict", address, "-m", model, "-o", tmp_path / "run")
    assert outcome.code == 1
    assert "cannot be reached: Connection refused" in outcome.out
    beat = json.loads((tmp_path / "run/heartbeat.json").read_text())
    assert (beat["state"], beat["failures"], beat["frames"]) == ("ended", 1, 0)
