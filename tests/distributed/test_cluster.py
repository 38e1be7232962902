"""Runs on a real Ray cluster of two machines within this one: equal records, and whatever dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli import cluster_model, predict_cluster
from detectattn.cli.app import run
from detectattn.distributed import drive
from tests.distributed.deadly import PATIENCE_S, DeadlySinks, HastyBoard, wait_for, wait_for_any

cluster_utils = pytest.importorskip("ray.cluster_utils")
# One cluster for all: it takes seconds to start, and two would not leave the tests a core.
pytestmark = pytest.mark.slow

NODE = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False, "include_log_monitor": False}
# A machine that is gone is missed within two seconds, where Ray leaves it a quarter of a minute.
HEAD = {"no_monitor": True, "_system_config": {"health_check_initial_delay_ms": 0, "health_check_period_ms": 300}}
SHARDS = 5


@dataclass(frozen=True)
class Machines:
    """The cluster, and the machine that a test may take away."""

    cluster: Any
    home: str
    away: Any


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    # Workers are started when they are wanted, not beforehand: each costs more than a second.
    os.environ.update({"RAY_USAGE_STATS_ENABLED": "0", "RAY_prestart_worker_first_driver": "0"})
    cluster = cluster_utils.Cluster()
    try:
        head = cluster.add_node(**NODE, **HEAD)
        yield Machines(cluster, head.node_id, cluster.add_node(**NODE))
    finally:
        cluster.shutdown()


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def predict(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs ``detectattn predict`` in this process, in an empty working directory."""
    monkeypatch.setenv("RAY_ADDRESS", machines.cluster.address)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def call(*words: object) -> Outcome:
        capfd.readouterr()
        code = run(["predict", *map(str, words)])
        out, err = capfd.readouterr()
        assert "Traceback" not in err + out
        return Outcome(code, out, err)

    return call


def to_words(pictures: Path, model: Path, out: Path) -> list[object]:
    return [pictures, "-m", model, "--cluster", "auto", "--shard-size", 3, "-o", out]


def read_records(folder: Path) -> list[Any]:
    files = sorted(folder.glob("predictions/*.jsonl")) or [folder / "predictions.jsonl"]
    records = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    for record in records:
        del record["timing"]
    return [json.dumps(record) for record in records]


def read_run(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text())


@pytest.fixture(scope="module")
def expected(pictures: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a run without a cluster records."""
    out = tmp_path_factory.mktemp("local") / "run"
    assert run(["predict", str(pictures), "-m", str(tiny_model), "--quiet", "--no-images", "-o", str(out)]) == 4
    records = read_records(out)
    assert sum(len(json.loads(record)["detections"]) for record in records) > len(records)
    return records


def test_records_equal_those_of_a_local_run_whoever_dies(
    predict: Callable[..., Outcome],
    pictures: Path,
    tiny_model: Path,
    expected: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One picture ends every process that works on it, another one was under way when its process was killed."""
    out, flag = tmp_path / "out", tmp_path / "died"
    monkeypatch.setattr(drive, "Board", HastyBoard)
    monkeypatch.setattr(
        cluster_model, "OpenSinks", partial(DeadlySinks, die_at="p04.jpg", die_once_at="p09.jpg", flag=flag)
    )
    outcome = predict(*to_words(pictures, tiny_model, out), "--save", "parquet", "--images")
    assert outcome.code == 4, outcome.err
    assert flag.exists()
    assert read_records(out) == [record for record in expected if json.loads(record)["source"] != "p04.jpg"]
    written = {Path(json.loads(record)["source"]).stem for record in read_records(out)}
    assert {file.name.split(".")[0] for file in (out / "images").iterdir()} == written
    assert len(list(out.glob("parquet/images-*.parquet"))) == SHARDS
    recorded = read_run(out)
    assert recorded["status"] == "finished"
    assert recorded["counts"]["failures_by_code"] == {"worker-died": 1, "undecodable-image": 1}
    assert (recorded["counts"]["images"], recorded["counts"]["shards"]) == (11, SHARDS)
    assert [failure["source"] for failure in recorded["failures"]] == ["p04.jpg", "p05x.jpg"]
    assert recorded["timing"]["redone"] == 2
    assert "p04.jpg ended every process that worked on it" in outcome.out
    assert "2 shards were begun again" in outcome.out
    assert not list(out.rglob(".*"))
    assert "nothing left to do" in predict("--resume", out).err


def test_study_finds_what_it_finds_without_a_cluster(
    machines: Machines, pictures: Path, tiny_model: Path, tmp_path: Path
) -> None:
    words = ["compare", str(pictures), "-m", f"one={tiny_model}", "-m", f"two={tiny_model}", "--rounds", "0", "-q"]
    alone, out = tmp_path / "alone", tmp_path / "out"
    assert run([*words, "-o", str(alone)]) == 4
    assert run([*words, "-o", str(out), "--cluster", machines.cluster.address, "--shard-size", "3"]) == 4
    for name in ("predictions/one.jsonl", "predictions/two.jsonl"):
        there, here = ([json.loads(line) for line in (folder / name).open()] for folder in (out, alone))
        for record in (*there, *here):
            del record["timing"]
        assert len(there) == 12
        assert there == here
    assert (out / "failures.jsonl").read_text() == (alone / "failures.jsonl").read_text()
    assert "detections were made on a Ray cluster of 2 machines" in (out / "report.md").read_text()
    assert not (out / "cluster").exists()


def test_machine_with_other_versions(
    predict: Callable[..., Outcome],
    pictures: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from detectattn.distributed import nodes

    ours = nodes.collect_cluster_versions()
    monkeypatch.setattr(nodes, "collect_cluster_versions", lambda: {**ours, "openvino": "1.0"})
    outcome = predict(*to_words(pictures, tiny_model, tmp_path / "out"))
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    assert f"openvino {ours['openvino']} (here 1.0)" in outcome.err
    assert not (tmp_path / "out").exists()


def test_model_that_cannot_be_opened_leaves_no_trace(
    predict: Callable[..., Outcome], pictures: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict_cluster, "check_nodes", lambda *_: None)
    words = to_words(pictures, tiny_model, tmp_path / "out")
    outcome = predict(*words, "--device", "npu")
    assert outcome.code == 1
    assert "device 'npu' is not there" in outcome.err
    assert not (tmp_path / "out").exists()


DRIVER = """
import sys
from functools import partial
from pathlib import Path
from detectattn.cli import cluster_model
from tests.distributed.deadly import DeadlySinks
cluster_model.OpenSinks = partial(DeadlySinks, flag=Path(sys.argv[1]), wait_after=Path(sys.argv[2]))
from detectattn.cli.app import run
sys.exit(run(sys.argv[3:]))
"""


def test_killed_driver_and_killed_machine_lose_and_double_nothing(
    predict: Callable[..., Outcome],
    machines: Machines,
    pictures: Path,
    tiny_model: Path,
    expected: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The driver dies in the first sitting, in the second a machine."""
    out, flag, away = tmp_path / "out", tmp_path / "go-on", tmp_path / "away"
    words = ["predict", *map(str, to_words(pictures, tiny_model, out)), "--replicas", "2", "--json"]
    command = [sys.executable, "-c", DRIVER, str(flag), str(out / "done"), *words]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        wait_for_any(out / "done")
    finally:
        driver.kill()
        print(driver.communicate()[1].decode())
    assert read_run(out)["status"] == "running"
    before = {file: file.stat().st_mtime_ns for file in out.glob("done/*.json")}
    assert len(before) < SHARDS

    def kill() -> None:
        wait_for(away)
        machines.cluster.remove_node(machines.away, allow_graceful=False)

    monkeypatch.setattr(cluster_model, "OpenSinks", partial(DeadlySinks, flag=away, home=machines.home))
    killer = threading.Thread(target=kill)
    killer.start()
    outcome = predict("--resume", out, "--json")
    killer.join(PATIENCE_S)
    assert outcome.code == 4, outcome.err
    assert f"going on with {out}: {len(before)} of {SHARDS} shards are done" in outcome.err
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert read_records(out) == expected
    recorded, told = read_run(out), json.loads(outcome.out)["data"]
    assert recorded["status"] == told["status"] == "finished"
    assert recorded["counts"] == {**told["counts"], "skipped": {}, "shards": SHARDS}
    assert (recorded["counts"]["images"], recorded["timing"]["sittings"]) == (12, 2)
    assert recorded["timing"]["redone"] >= 1
