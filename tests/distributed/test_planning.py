"""Sizes, pools, tasks, addresses, versions: what is decided before work starts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detectattn.distributed import session
from detectattn.distributed.drive import plan_tasks
from detectattn.distributed.failure_text import describe_error, last_line, to_error
from detectattn.distributed.nodes import require_same
from detectattn.distributed.recorded import setup_from_dict, setup_to_dict
from detectattn.distributed.session import Node, check_address, require_ray
from detectattn.distributed.settings import ModelPackage, ModelSetup, ReplicaSize
from detectattn.distributed.sizing import choose_size, plan_pool
from detectattn.distributed.trial import ReplicaTrial, choose_cpus, list_sizes
from detectattn.engines.base import EngineOptions
from detectattn.errors import AccessDenied, ClusterError, ConfigError, MissingExtra, UnreadableRecord, VersionsDiffer


def to_node(cpus: int, gpus: float = 0) -> Node:
    return Node(f"n{cpus}", "10.0.0.1", cpus, gpus)


@pytest.mark.parametrize("count", [0, 1, 7, 100, 5_000])
@pytest.mark.parametrize("replicas", [1, 4])
def test_tasks_hold_every_shard_once(count: int, replicas: int) -> None:
    tasks = plan_tasks(range(count), replicas)
    assert [shard for task in tasks for shard in task] == list(range(count))
    assert all(len(task) <= max(1, count // (8 * replicas)) for task in tasks)
    assert not tasks or len(tasks[-1]) == 1


def test_millions_of_shards_are_few_tasks() -> None:
    assert len(plan_tasks(range(4_000_000), 100)) < 10_000


@pytest.mark.parametrize(
    ("nodes", "device", "expected"),
    [
        ([to_node(8), to_node(8), to_node(2)], "auto", ReplicaSize(8)),
        ([to_node(32, 4), to_node(16)], "auto", ReplicaSize(8, 1.0)),
        ([to_node(32, 4), to_node(16)], "cpu", ReplicaSize(32)),
        ([to_node(1)], "auto", ReplicaSize(1)),
    ],
)
def test_size_from_machines(nodes: list[Node], device: str, expected: ReplicaSize) -> None:
    assert choose_size(nodes, device, None, None) == expected


def test_pool() -> None:
    nodes = [to_node(8), to_node(4), to_node(3)]
    assert plan_pool(nodes, ReplicaSize(4), None, 100).most == 3
    assert plan_pool(nodes, ReplicaSize(4), None, 2).first == 2
    more = plan_pool(nodes, ReplicaSize(4), 9, 100)
    assert (more.first, more.most) == (3, 9)
    assert plan_pool(nodes, ReplicaSize(64), 2, 100).first == 1  # waits for machines
    with pytest.raises(
        ClusterError, match="a replica takes 64 cores, and no machine has that; the largest has 8 cores"
    ):
        plan_pool(nodes, ReplicaSize(64), None, 100)
    with pytest.raises(ClusterError, match="8 cores and 0 GPUs"):
        plan_pool(nodes, ReplicaSize(1, 1), None, 100)
    with pytest.raises(ClusterError, match="no machine of the cluster has a core"):
        choose_size([], "auto", None, None)


def test_replicas_that_share_a_gpu() -> None:
    assert plan_pool([to_node(8, 1)], ReplicaSize(1, 0.2), None, 100).most == 5


def test_largest_replica_that_is_about_as_fast() -> None:
    def choose(*rates: float) -> int | None:
        trials = [ReplicaTrial(8 >> i, 1, rate) for i, rate in enumerate(rates)]
        return choose_cpus(trials, 8)

    assert choose() is None
    assert choose(100, 51, 26) == 8
    assert choose(100, 55, 30) == 2
    assert choose(100, 60, 30.5) == 4


def test_short_runs_are_not_worth_a_trial() -> None:
    assert list_sizes(16, 100) == ()
    assert list_sizes(1, 10**6) == ()
    assert list_sizes(16, 10**6) == (16, 8, 4)
    assert list_sizes(2, 10**6) == (2, 1)


@pytest.mark.parametrize("address", ["local", "auto", "10.0.0.1:6379", "ray://head.example:10001", "[::1]:6379"])
def test_addresses(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize("address", ["lokal", "10.0.0.1", "http://head:6379", "ray://", "head:x"])
def test_no_addresses(address: str) -> None:
    with pytest.raises(ConfigError, match="--cluster is"):
        check_address(address)


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"needs Ray, which is not installed\. Install it: pip install"):
        require_ray()


def test_versions_that_differ_are_all_named() -> None:
    ours = {"python": "3.11.7", "ray": "2.60.0", "torch": "2.13.0", "numpy": "2.4.6"}
    require_same("10.0.0.2", dict(ours), ours)
    with pytest.raises(VersionsDiffer) as caught:
        require_same("10.0.0.2", {**ours, "ray": "2.50.0", "openvino": "2026.4"} | {"torch": "2.12.0"}, ours)
    assert caught.value.problem == (
        "versions differ on 10.0.0.2: openvino 2026.4 (here absent), ray 2.50.0 (here 2.60.0), "
        "torch 2.12.0 (here 2.13.0)"
    )


def test_errors_travel_as_words() -> None:
    denied = AccessDenied("s3://b/x may not be written", hint="Ask its owner")
    back = to_error(describe_error(denied, "10.0.0.2"))
    assert type(back) is AccessDenied
    assert str(back) == str(denied)
    bug = to_error(describe_error(ValueError("boom\nreally"), "10.0.0.2"))
    assert type(bug) is ClusterError
    assert bug.problem == "a replica on 10.0.0.2 failed with ValueError: really"
    assert type(to_error({"kind": "sys", "problem": "x", "hint": "y"})) is ClusterError


def test_last_line_leaves_tracebacks_out() -> None:
    text = "ray::scout()\n  File x, line 3\n    raise\nValueError: too small\n\n"
    assert last_line(RuntimeError(text)) == "ValueError: too small"
    assert last_line(RuntimeError()) == "RuntimeError"


def test_setup_is_recorded() -> None:
    package = ModelPackage("openvino", "", {"x.xml": "ab", "x.bin": "cd"}, "ef")
    setup = ModelSetup(package, "x", "openvino", EngineOptions(imgsz_hw=(320, 640), batch=4, streams=2, threads=3))
    import json

    recorded: Any = json.loads(json.dumps(setup_to_dict(setup)))
    assert setup_from_dict(recorded) == setup
    made = replace(setup, original=replace(package, format="pt", main="x.pt"))
    assert setup_from_dict(json.loads(json.dumps(setup_to_dict(made)))) == made
    assert setup_from_dict({**recorded, "options": {**recorded["options"], "later": 1}}) == setup
    with pytest.raises(UnreadableRecord, match="how the model is opened"):
        setup_from_dict({"name": "x"})
