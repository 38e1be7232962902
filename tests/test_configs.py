"""The presets that users copy can be used as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectattn.config import PredictConfig, load_preset, resolve_config
from detectattn.errors import ConfigError
from detectattn.sinks import SINKS
from detectattn.weights.registry import find_model

ROOT = Path(__file__).resolve().parents[1]
PRESETS = sorted((ROOT / "configs").glob("*.yaml"))


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
    assert f"--config {path.stem}\n" in text
    model = find_model(str(load_preset(path)["model"]))
    assert model is not None
    assert f"{model.params_m:g} M parameters, COCO AP {model.ap50_95:g} %" in text


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("typed", ["predict-fast", "predict-fast.yaml"])
def test_a_shipped_preset_is_found_by_its_name(typed: str, elsewhere: Path) -> None:
    assert load_preset(Path(typed)) == load_preset(ROOT / "configs" / "predict-fast.yaml")
    own = elsewhere / typed
    own.write_text("conf: 0.9\n")
    assert load_preset(Path(typed)) == {"conf": 0.9}


@pytest.mark.parametrize("typed", ["predict-slow", "configs/predict-fast.yaml"])
def test_an_absent_preset_is_told_with_those_there_are(typed: str, elsewhere: Path) -> None:
    with pytest.raises(ConfigError, match=rf"no preset {typed}\..*predict-fast, predict-quality"):
        load_preset(Path(typed))
