"""A model as a tree: every layer stands in it once, and so does every attention module."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from detectattn.attention.find import find_attention
from detectattn.attention.stages import BlockPlan, plan_blocks

NAMES = ("demo-rtdetr", "demo-yolo", "yolo12n", "yolo26n")


def list_plans(plan: BlockPlan) -> list[BlockPlan]:
    return [plan, *(inner for child in plan.children for inner in list_plans(child))]


def plan(model: Any) -> BlockPlan:
    return plan_blocks(model, find_attention(model))


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_and_every_attention_stands_in_it_once(name: str, noisy_model: Any) -> None:
    model = noisy_model(name)
    modules = Counter(plan(model).iter_modules())
    assert set(modules.values()) == {1}
    assert {f"model.{i}" for i in range(len(model.model))} <= modules.keys()
    assert {site.module for site in find_attention(model)} <= modules.keys()
    assert all(model.get_submodule(path) is not None for path in modules)


def test_an_rtdetr_has_an_encoder_in_two_and_a_decoder(noisy_model: Any) -> None:
    tree = plan(noisy_model("demo-rtdetr"))
    assert [part.label for part in tree.children] == [
        "backbone",
        "encoder: within a scale (AIFI)",
        "encoder: across scales (CCFM)",
        "decoder: 27 RTDETRDecoder",
    ]
    assert [block.label for block in tree.children[1].children] == ["9 Conv", "10 AIFI"]
    layers = [block for block in tree.children[3].children if block.label.startswith("decoder layer")]
    assert [[(inner.label, inner.attention) for inner in layer.children] for layer in layers] == [
        [("self-attention", "query"), ("cross-attention", "deformable")]
    ] * 4


def test_a_yolo_has_a_neck_and_a_head(noisy_model: Any) -> None:
    tree = plan(noisy_model("demo-yolo"))
    assert [part.label for part in tree.children] == ["backbone", "neck", "head: 23 Detect"]
    assert [block.label for block in tree.children[0].children][-2:] == ["9 SPPF", "10 C2PSA"]
    [attention] = tree.children[0].children[-1].children
    assert (attention.label, attention.modules) == ("self-attention m.0.attn", ("model.10.m.0.attn",))
    assert [block.label for block in tree.children[2].children][:2] == ["box branches", "class branches"]


def test_a_model_that_does_not_say_where_its_backbone_ends_has_a_body(
    noisy_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = noisy_model("demo-yolo")
    monkeypatch.setattr(model, "yaml", None)
    assert [part.label for part in plan(model).children] == ["body", "head: 23 Detect"]
