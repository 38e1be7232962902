"""``--cluster local``, from and to object storage; whatever happens, nothing of Ray is left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli.app import run
from tests.distributed.deadly import PATIENCE_S
from tests.distributed.test_cluster import DRIVER
from tests.object_store import s3, s3_endpoint

__all__ = ["s3", "s3_endpoint"]

pytest.importorskip("ray")
pytestmark = pytest.mark.slow


def list_marked(mark: str) -> list[int]:
    """The processes that have a mark in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            marked = mark.encode() in (entry / "environ").read_bytes()
        except OSError:
            continue
        if marked and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


@pytest.fixture
def mark() -> Iterator[str]:
    """A mark for a process and all that it starts; none of them may be left."""
    name = uuid.uuid4().hex
    yield name
    end_s = time.monotonic() + 20
    while list_marked(name) and time.monotonic() < end_s:
        time.sleep(0.1)
    left = list_marked(name)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


@pytest.fixture
def start(mark: str, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a program of Python in a process of its own."""

    def call(*words: object) -> subprocess.Popen[str]:
        env = {**os.environ, "TEST_MARK": mark}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, *map(str, words)], cwd=tmp_path, env=env, **pipes)

    return call


def test_from_and_to_object_storage(
    start: Callable[..., subprocess.Popen[str]], pictures: Path, tiny_model: Path, tmp_path: Path, s3: Any
) -> None:
    inputs = s3.put_tree(pictures, "in")
    words = ["predict", inputs, "-m", tiny_model, "--isolate", "none"]
    local, there = tmp_path / "local", f"{s3.url}/out"
    program = start("-m", "detectattn", *words, "--cluster", "local", "--shard-size", "5", "-o", there, "--json")
    assert run([*map(str, words), "--no-images", "-q", "-o", str(local)]) == 4
    out, err = program.communicate(timeout=2 * PATIENCE_S)
    assert program.returncode == 4, err
    assert json.loads(out)["data"]["run"] == there
    from detectattn.storage import open_store

    store = open_store(there)
    names = [name for name in store.iter_names() if name.startswith("predictions/")]
    lines = [json.loads(line) for name in names for line in store.get(name).splitlines()]
    expected = [json.loads(line) for line in (local / "predictions.jsonl").read_text().splitlines()]
    for record in (*lines, *expected):
        del record["timing"]
    assert names == [f"predictions/predictions-0000{n}.jsonl" for n in range(3)]
    assert lines == expected
    assert json.loads(store.get("run.json"))["status"] == "finished"


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM to be caught there")
def test_terminated_run_leaves_nothing_running(
    start: Callable[..., subprocess.Popen[str]], pictures: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out, flag = tmp_path / "out", tmp_path / "go-on"
    words = ["predict", pictures, "-m", tiny_model, "--isolate", "none", "--shard-size", "3", "-o", out]
    program = start("-c", DRIVER, flag, out / "done", *words, "--cluster", "local", "--replicas", "1")
    end_s = time.monotonic() + PATIENCE_S
    while not flag.with_suffix(".waits").exists() and time.monotonic() < end_s and program.poll() is None:
        time.sleep(0.05)
    program.send_signal(signal.SIGTERM)
    time.sleep(1)
    flag.touch()
    said, err = program.communicate(timeout=PATIENCE_S)
    assert program.returncode == 130, err
    assert "stopping: what is under way is finished first" in err
    assert f"`detectattn predict --resume {out}` goes on from there" in err
    assert "Traceback" not in err
    assert said.startswith("interrupted after ")
    recorded = json.loads((out / "run.json").read_text())
    assert recorded["status"] == "interrupted"
    assert recorded["counts"]["shards"] == len(list(out.glob("done/*.json")))
    assert recorded["counts"]["images"] == sum(1 for file in out.glob("predictions/*") for _ in file.open())
