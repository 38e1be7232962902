"""The presets that users copy can be used as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectattn.config import PredictConfig, load_preset, resolve_config
from detectattn.sinks import SINKS
from detectattn.weights.registry import find_model

PRESETS = sorted((Path(__file__).resolve().parents[1] / "configs").glob("*.yaml"))


def test_there_are_presets() -> None:
    assert {"predict-fast.yaml", "predict-quality.yaml"} <= {path.name for path in PRESETS}


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.name)
def test_a_preset_names_things_that_exist_and_the_command_line_wins(path: Path) -> None:
    config = resolve_config(load_preset(path), {})
    assert config != PredictConfig()
    assert find_model(config.model) is not None
    assert set(config.save) <= set(SINKS)
    assert resolve_config(load_preset(path), {"conf": 0.77}).conf == 0.77


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.name)
def test_a_preset_says_how_it_is_used_and_what_it_claims_is_published(path: Path) -> None:
    text = path.read_text()
    assert f"--config configs/{path.name}" in text
    model = find_model(str(load_preset(path)["model"]))
    assert model is not None
    assert f"{model.params_m:g} M parameters, COCO AP {model.ap50_95:g} %" in text
