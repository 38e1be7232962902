"""``predict --cluster`` as far as no cluster comes into it: options, places, what is missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from detectattn.cli.cluster_finish import finish_run
from detectattn.cli.cluster_summary import ClusterOutcome
from detectattn.cli.cluster_watch import Watch
from detectattn.cli.console import Notices
from detectattn.config import PredictConfig
from detectattn.distributed import session
from detectattn.distributed.board import Progress
from detectattn.distributed.counts import Counts
from detectattn.pipeline.channel import StopSignal
from detectattn.storage import open_store
from detectattn.types import RunManifest
from tests.object_store import front, s3, s3_endpoint

__all__ = ["front", "s3", "s3_endpoint"]


@pytest.fixture(autouse=True)
def _no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here gets as far as Ray."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("Ray was to be started")

    monkeypatch.setattr(session, "_connect", refuse)


def test_without_ray(detectattn: Any, two_pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_spec", lambda _: None)
    outcome = detectattn("predict", two_pictures, "-m", "demo-yolo", "--cluster", "local")
    assert outcome.code == 1
    assert outcome.err == (
        'error: --cluster needs Ray, which is not installed. Install it: pip install "detectattn[cluster]".\n'
    )


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--cluster", "lokal"], 2, "--cluster is 'lokal'. Give local, auto, HOST:PORT or ray://HOST:PORT."),
        (["--cluster", "local", "--show"], 2, "--show has no window on a cluster"),
        (["--cluster", "local", "--profile", "t.json"], 2, "--profile has no timeline of a cluster"),
        (["--cluster", "local", "--save", "yolo"], 2, "--save yolo numbers its files over a whole run"),
        (["--cluster", "local", "--save", "parkett"], 2, "there is no output format 'parkett'"),
        (["--cluster", "local", "--replicas", "0"], 2, "--replicas is '0'"),
        (["--cluster", "local", "--replica-cpus", "0"], 2, "--replica-cpus is 0"),
        (["--cluster", "local", "--shard-size", "0"], 2, "--shard-size is 0"),
        (
            ["-o", "s3://bucket/out"],
            2,
            "s3://bucket/out is no local folder, and only runs on a cluster write elsewhere",
        ),
        (["--replicas", "4"], 2, "--replicas is for a run on a cluster, and this one is on this machine alone"),
        (["--replica-cpus", "2"], 2, "--replica-cpus is for a run on a cluster"),
        (["--replica-gpus", "0.5"], 2, "--replica-gpus is for a run on a cluster"),
        (["--shard-size", "9"], 2, "--shard-size is for a run on a cluster"),
        (["--shard-size", "9", "--resume", "new"], 2, "--shard-size is for a run on a cluster"),
        (["--cluster", "local", "-o", "ftp://host/out"], 1, "ftp://host/out cannot be written to"),
    ],
)
def test_options_that_cannot_be(detectattn: Any, two_pictures: Path, words: list[str], code: int, message: str) -> None:
    outcome = detectattn("predict", two_pictures, "-m", "demo-yolo", *words)
    assert outcome.code == code
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
    assert not Path("runs").exists()


def test_preset_with_options_of_a_cluster(detectattn: Any, two_pictures: Path) -> None:
    """They hold where it, or the command line, names a cluster; elsewhere they are not passed over."""
    Path("preset.yaml").write_text("model: demo-yolo\nreplicas: 4\n")
    outcome = detectattn("predict", two_pictures, "-c", "preset.yaml")
    assert outcome.code == 2
    assert "--replicas is for a run on a cluster" in outcome.err
    outcome = detectattn("predict", two_pictures, "-c", "preset.yaml", "--cluster", "lokal")
    assert "--cluster is 'lokal'" in outcome.err
    with Path("preset.yaml").open("a") as preset:
        preset.write("cluster: lokal\n")
    assert "--cluster is 'lokal'" in detectattn("predict", two_pictures, "-c", "preset.yaml").err


def test_no_cluster_there(detectattn: Any, two_pictures: Path, refusing_url: str, monkeypatch: Any) -> None:
    address = refusing_url.removeprefix("http://")
    for words in (address, f"ray://{address}"):
        outcome = detectattn("predict", two_pictures, "-m", "demo-yolo", "--cluster", words)
        assert outcome.code == 1
        assert f"no Ray cluster answers at {words}" in outcome.err
        assert outcome.err.count("\n") == 1
    monkeypatch.setenv("RAY_ADDRESS", address)
    assert "no Ray cluster answers at" in detectattn("predict", two_pictures, "--cluster", "auto").err
    assert not list(Path("runs").glob("*"))


def test_no_cluster_on_this_machine(detectattn: Any, two_pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_none(*_: object, **__: object) -> None:
        raise ConnectionError("Could not find any running Ray instance.")

    def connect(ray: object, address: str, *_: object, **__: object) -> None:
        try:
            find_none()
        except ConnectionError as error:
            raise session._to_error(address, error) from error

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(session, "_connect", connect)
    outcome = detectattn("predict", two_pictures, "-m", "demo-yolo", "--cluster", "auto")
    assert outcome.code == 1
    assert outcome.err.startswith("error: no Ray cluster runs on this machine, and RAY_ADDRESS names none")
    assert outcome.err.count("\n") == 1


def test_place_that_is_taken(detectattn: Any, two_pictures: Path) -> None:
    Path("out").mkdir()
    outcome = detectattn("predict", two_pictures, "--cluster", "local", "-o", "out")
    assert outcome.code == 1
    assert "out is there already, and a run never writes into a folder that exists" in outcome.err
    assert list(Path("out").iterdir()) == []


def test_inputs_come_first(detectattn: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds neither pictures nor videos" in detectattn("predict", tmp_path / "empty", "--cluster", "local").err
    assert "does not exist" in detectattn("predict", "nowhere.jpg", "--cluster", "local").err


@pytest.mark.parametrize(
    ("recorded", "message"),
    [
        (None, "holds no run.json"),
        ({"status": "interrupted", "config": {"cluster": ""}}, "begun without a cluster"),
        ({"status": "interrupted", "config": {}, "other": True}, "another command than predict"),
    ],
)
def test_resume_of_no_such_run(detectattn: Any, recorded: dict[str, Any] | None, message: str) -> None:
    folder = Path("run")
    folder.mkdir()
    if recorded is not None:
        config = {} if recorded.pop("other", False) else {"model": "x", "conf": 0.2, "max_det": 9, "sources": ["a"]}
        config |= recorded["config"]
        full = {"schema": 1, "command": [], "models": [], "versions": {}, "machine": {}, **recorded, "config": config}
        (folder / "run.json").write_text(json.dumps(full))
    outcome = detectattn("predict", "--resume", folder, "--cluster", "local")
    assert outcome.code in (1, 2)
    assert message in outcome.err


def test_bucket_without_rights(detectattn: Any, two_pictures: Path, s3: Any, front: Any) -> None:
    front.always = lambda asked: 403 if asked.startswith("PUT") else None
    outcome = detectattn("predict", two_pictures, "--cluster", "local", "-o", f"{s3.url}/out")
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1, outcome.err
    assert f"no right to {s3.url}/out/" in outcome.err
    front.always = lambda asked: 403
    outcome = detectattn("predict", two_pictures, "--cluster", "local", "-o", f"{s3.url}/out")
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1, outcome.err


def test_bucket_where_something_is(detectattn: Any, two_pictures: Path, s3: Any) -> None:
    s3.put("out/notes.txt", b"mine")
    outcome = detectattn("predict", two_pictures, "--cluster", "local", "-o", f"{s3.url}/out")
    assert outcome.code == 1
    assert f"{s3.url}/out is there already, and a run never writes where something is" in outcome.err


def test_finished_run_has_nothing_left(detectattn: Any, two_pictures: Path) -> None:
    folder = Path("run")
    folder.mkdir()
    config = {"model": "x", "conf": 0.2, "max_det": 9, "sources": ["a"], "cluster": "local"}
    full = {"schema": 1, "command": [], "models": [], "versions": {}, "machine": {}, "status": "finished"}
    (folder / "run.json").write_text(json.dumps({**full, "config": config}))
    shutil.rmtree(two_pictures)
    outcome = detectattn("predict", "--resume", folder)  # it is known to be a cluster's
    assert (outcome.code, outcome.err) == (0, "run is finished; there is nothing left to do\n")


def test_what_replicas_got_over_is_told_once_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recovery = {"what": "batch", "was": "4", "now": "2", "after": 0, "reason": "x has too little memory"}
    counts = Counts(recovered=[recovery, {**recovery, "after": 3}])
    outcome = ClusterOutcome(open_store(tmp_path), "finished", counts)
    board: Any = SimpleNamespace(look=lambda: Progress(warnings=("on 10.0.0.1: something hung",)))
    watch = Watch(outcome, board, StopSignal(), "", lambda _: None, Notices(quiet=True))
    watch.look()
    watch.look()
    assert capsys.readouterr().err == "warning: on 10.0.0.1: something hung\n"
    run = RunManifest(command=[], config={}, models=[{"name": "x"}], versions={}, machine={})
    finish_run(run, outcome, PredictConfig(), Notices(quiet=True), as_json=False)
    [model] = json.loads((tmp_path / "run.json").read_text())["models"]
    assert model == {"name": "x", "recovered": [{**recovery, "times": 2}]}
