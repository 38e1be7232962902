"""The documented commands, from nothing to a model card, on scenes of a size for tests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from detectattn.weights.embedded_model import load_embedded_model
from training import evaluate, model_card, recipe, scene_cache, train


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrunk = replace(recipe.RECIPES["demo-yolo"], size_px=64, batch=4)
    for module in (train, evaluate, model_card):
        monkeypatch.setattr(module, "RECIPES", {"demo-yolo": shrunk})
    for module in (scene_cache, train, evaluate):
        monkeypatch.setattr(module, "DRAWN_PX", 128)
    monkeypatch.setattr(train, "_KEPT_PX", 80)


@pytest.mark.usefixtures("small")
def test_from_nothing_to_a_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = ["--folder", str(tmp_path / "cache"), "--threads", "1"]
    options = ["demo-yolo", "--scenes", "8", "--val-scenes", "2", "--epochs", "2", "--log-every", "2", "--val-every=1"]

    def train_it(*more: str) -> None:
        train.main([*options, "--checkpoints", str(tmp_path), *folders, *more])

    train_it("--minutes", "1e-12")
    weights = tmp_path / "demo-yolo.safetensors"
    assert json.loads(weights.with_suffix(".json").read_text())["step"] == 0
    with pytest.raises(SystemExit, match="pass --resume"):
        train_it()
    train_it("--resume")
    record = json.loads(weights.with_suffix(".json").read_text())
    assert (record["step"], record["epoch"]) == (4, 2.0)
    assert [entry["epoch"] for entry in record["history"]] == [0, 1, 2]
    lines = [json.loads(line) for line in (tmp_path / "cache/demo-yolo/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["event"] == "train"] == [2, 4]
    assert all({"box_loss", "lr", "ms_per_image"} <= line.keys() for line in lines if line["event"] == "train")
    (tmp_path / "cache/demo-yolo/last.pt").unlink()
    train_it("--resume")
    told = capsys.readouterr().out
    assert "with a fresh optimizer" in told
    assert " was " not in told

    evaluate.main([str(weights), "--scenes", "3", *folders])
    accuracy = json.loads(weights.with_suffix(".accuracy.json").read_text())
    assert accuracy["seeds"] == [1_001_000, 1_001_002]
    model_card.main([str(weights)])
    card = weights.with_suffix(".md").read_text()
    assert "drawn scenes, not photographs" in card
    assert f"| ap50_95 | {accuracy['ap50_95']:.3f} |" in card
    assert "3 drawn scenes that it has never seen" in card
    assert vars(load_embedded_model(weights))["names"][5] == "traffic light"
