"""The own count of operations and the published one: what lies between them is counted, not guessed."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import torch
import yaml
from safetensors import safe_open

from detectattn.attention import reconcile as reconciling
from detectattn.attention.inspect_model import Subject
from detectattn.attention.operations import watch_pass
from detectattn.attention.reconcile import reconcile
from detectattn.engines.flops import count_gflops
from detectattn.results.inspection import AttentionBlock
from detectattn.weights.embedded import embedded_path
from detectattn.weights.embedded_model import build_model
from detectattn.weights.registry import require_model
from detectattn.weights.ultralytics_env import import_ultralytics_tasks

PIXELS = torch.zeros(1, 3, 128, 128)


@pytest.fixture(autouse=True)
def _no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "_ask_library", lambda *_: None)


def describe(model: Any) -> tuple[AttentionBlock, ...]:
    subject = Subject(model, torch.device("cpu"))
    return subject.count_attention(PIXELS)


def build_unfolded(name: str) -> Any:
    path = embedded_path(name)
    assert path is not None
    with safe_open(path, "pt") as stream:
        metadata = stream.metadata()
    return build_model(yaml.safe_load(metadata["model_yaml"]), json.loads(metadata["class_names"])).eval()


def test_folded_branches_are_what_folding_saves() -> None:
    unfolded = build_unfolded("demo-rtdetr")
    folded = copy.deepcopy(unfolded).fuse(verbose=False)
    before, after = (count_gflops(model, (128, 128)) for model in (unfolded, folded))
    assert before > after
    found = reconcile(folded, PIXELS, describe(folded), (before, "paper"))
    assert found.own_gflops == pytest.approx(after)
    [step] = found.steps
    assert "RepConv" in step.text
    assert found.explained_gflops == pytest.approx(before)


@pytest.mark.parametrize("name", ["demo-rtdetr", "yolo12n"])
def test_operations_by_what_they_are_part_of_add_up(name: str, noisy_model: Any) -> None:
    model = noisy_model(name)
    found = reconcile(model, PIXELS, describe(model), None)
    assert sum(found.by_operation.values()) == pytest.approx(found.own_gflops)
    assert found.by_operation["attention products"] > 0
    assert (found.by_operation["sampling"] > 0) == (name == "demo-rtdetr")
    assert (found.steps, found.explained_gflops) == ((), None)


def test_products_that_others_do_not_count_are_taken_off(noisy_model: Any) -> None:
    model = noisy_model("yolo12n")
    attention = describe(model)
    products = sum(block.products_gflops for block in attention)
    own = count_gflops(model, (128, 128))
    with_them = reconcile(model, PIXELS, attention, (own, "docs"))
    without = reconcile(model, PIXELS, attention, (own - products, "docs"))
    assert with_them.steps == ()
    assert [step.gflops for step in without.steps] == [pytest.approx(-products)]
    assert without.explained_gflops == pytest.approx(own - products)


def test_products_are_those_that_the_dispatcher_sees(noisy_model: Any) -> None:
    """YOLO's products are its only batched ones; RT-DETR's are told on paper."""
    model = noisy_model("yolo12n")
    seen = watch_pass(model, PIXELS, [""])[""].flops["bmm"]
    assert sum(block.products_gflops for block in describe(model)) == pytest.approx(seen / 1e9)
    rtdetr = {block.site.kind: block for block in describe(noisy_model("demo-rtdetr"))}
    # 4 × 4 tokens of 96 channels; 150 queries of 128 channels; 150 queries × 12 points × 128 channels, 9 a value.
    assert rtdetr["global"].products_gflops == pytest.approx(2 * 2 * 16 * 16 * 96 / 1e9)
    assert rtdetr["query"].products_gflops == pytest.approx(2 * 2 * 150 * 150 * 128 / 1e9)
    assert rtdetr["deformable"].products_gflops == pytest.approx(150 * 12 * 128 * 9 / 1e9)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "own", "explained"), [("yolo11n", 6.54, 6.48), ("yolo12n", 7.47, 6.49)])
def test_published_figures_leave_attention_products_out(name: str, own: float, explained: float) -> None:
    """As docs/inspect.md says."""
    model = import_ultralytics_tasks().DetectionModel(f"{name}.yaml", verbose=False).eval().fuse(verbose=False)
    pixels = torch.zeros(1, 3, 640, 640)
    attention = Subject(model, torch.device("cpu")).count_attention(pixels)
    published = require_model(name)
    found = reconcile(model, pixels, attention, (published.gflops, published.source))
    assert found.own_gflops == pytest.approx(own, abs=0.005)
    assert found.explained_gflops == pytest.approx(explained, abs=0.005)
    assert found.explained_gflops == pytest.approx(published.gflops, abs=0.05)
