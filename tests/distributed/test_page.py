"""docs/cluster.md: its cluster is one that Ray takes, its figures are those that were measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import ValidationError

from benchmarks.cluster_plan import Case, make_plan, render_stub, render_table
from benchmarks.record import RESULTS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/cluster.md"
CLUSTER = ROOT / "docs/cluster-aws.yaml"


def test_cluster_is_one_that_ray_takes() -> None:
    util = pytest.importorskip("ray.autoscaler._private.util")
    config = yaml.safe_load(CLUSTER.read_text())
    prepared = util.prepare_config(config)
    util.validate_config(prepared)
    with pytest.raises(ValidationError):
        util.validate_config({**prepared, "max_worker": 3})
    assert prepared["head_node_type"] in prepared["available_node_types"]
    assert prepared["available_node_types"]["head"]["resources"]["CPU"] == 0
    assert any("detectattn[cluster" in command for command in prepared["setup_commands"])


def test_options_that_the_cluster_names_exist() -> None:
    from detectattn.cli import options

    declared = Path(options.__file__).read_text()
    named = set(re.findall(r"--[a-z-]+", re.findall(r"detectattn predict .*", CLUSTER.read_text())[0]))
    assert named
    assert all(f'"{name}"' in declared for name in named)


@pytest.fixture
def figures() -> Any:
    path = RESULTS / "cluster.json"
    assert path.exists(), "python -m benchmarks.cluster measures them"
    return json.loads(path.read_text())["figures"]


def read_part(name: str) -> str:
    return re.findall(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", PAGE.read_text(), flags=re.DOTALL)[0].strip()


def test_tables_are_what_was_measured(figures: Any) -> None:
    """``python -m benchmarks.cluster --page`` prints them."""
    assert read_part("plan") == render_table(figures)
    assert read_part("stub") == render_stub(figures)


def test_plan() -> None:
    measured = {"shard_ms": 1_000.0, "list_us": 36.0}
    plan = make_plan(Case(10**8, 0.35, 100, 16, "x"), measured)
    assert plan.listing_h == pytest.approx(1.0)
    assert plan.replica_hours == pytest.approx(10_000)
    assert (plan.replicas, plan.machines) == (435, 28)
    assert plan.bottleneck == "the model"
    assert make_plan(Case(10**6, 0.001, 100, 16, "x"), measured).bottleneck == "shards"
    assert make_plan(Case(10**9, 0.35, 100, 16, "x"), measured).bottleneck == "storage"
    slow = make_plan(Case(10**9, 0.35, 100, 16, "x"), {**measured, "list_us": 500.0}, hours=240)
    assert slow.bottleneck == "listing"
