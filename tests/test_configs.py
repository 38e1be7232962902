"""The presets that users copy can be used as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectattn.compare.sweep import parse_sweep
from detectattn.config import CompareConfig, ExplainConfig, PredictConfig, load_preset, resolve_options
from detectattn.errors import ConfigError
from detectattn.sinks import SINKS
from detectattn.weights.registry import find_model

ROOT = Path(__file__).resolve().parents[1]
PRESETS = sorted((ROOT / "configs").glob("*.yaml"))
KINDS: dict[str, type[PredictConfig | CompareConfig | ExplainConfig]] = {
    "predict": PredictConfig, "compare": CompareConfig, "explain": ExplainConfig,
}  # fmt: skip


def kind_of(path: Path) -> type[PredictConfig | CompareConfig | ExplainConfig]:
    return KINDS[path.name.partition("-")[0]]


def models_of(path: Path) -> list[str]:
    named = load_preset(path, kind_of(path))["model"]
    return [named] if isinstance(named, str) else list(named)


def test_every_command_that_takes_presets_has_some() -> None:
    assert {"predict-fast.yaml", "predict-quality.yaml"} <= {path.name for path in PRESETS}
    assert {kind_of(path) for path in PRESETS} == set(KINDS.values())


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.name)
def test_a_preset_names_things_that_exist_and_the_command_line_wins(path: Path) -> None:
    kind = kind_of(path)
    config = resolve_options(kind, load_preset(path, kind), {})
    assert config != kind()
    assert all(find_model(name) is not None for name in models_of(path))
    assert resolve_options(kind, load_preset(path, kind), {"conf": 0.77}).conf == 0.77
    if isinstance(config, PredictConfig):
        assert set(config.save) <= set(SINKS)
    if isinstance(config, CompareConfig):
        assert {axis.name for axis in parse_sweep(config.sweep)} == {"imgsz", "decoder_layers", "queries"}


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.name)
def test_a_preset_says_how_it_is_used_and_what_it_claims_is_published(path: Path) -> None:
    text = path.read_text()
    assert f"detectattn {path.name.partition('-')[0]} SOURCE --config {path.stem}\n" in text
    for name in models_of(path):
        model = find_model(name)
        assert model is not None
        assert f"{model.params_m:g} M parameters, COCO AP {model.ap50_95:g} %" in text


def test_a_preset_of_another_command_is_refused_with_whose_it_is() -> None:
    with pytest.raises(ConfigError, match=r"sets 'max_det', which is no option of compare; predict has it\."):
        load_preset(Path("predict-fast"), CompareConfig)
    with pytest.raises(ConfigError, match=r"sets 'sweep', which is no option of explain; compare has it\."):
        load_preset(Path("compare-frontier"), ExplainConfig)
    with pytest.raises(ConfigError, match=r"no preset fast.*presets are compare-frontier"):
        load_preset(Path("fast"), CompareConfig)


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


@pytest.mark.parametrize("kind", [PredictConfig, CompareConfig, ExplainConfig], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    "line", ["trust_weights: true", "trust-weights: yes", "trust_weights: false", "trust_weights:"]
)
def test_no_preset_says_which_weights_are_trusted(
    tmp_path: Path, kind: type[PredictConfig | CompareConfig | ExplainConfig], line: str
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(f"model: evil.pt\n{line}\n")
    with pytest.raises(
        ConfigError, match=r"p\.yaml sets trust_weights, which is never taken from a file.*type --trust"
    ):
        load_preset(path, kind)


def test_no_preset_decodes_everything_in_the_program(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("isolate: none\n")
    with pytest.raises(ConfigError, match=r"never taken from a file.*type --isolate none"):
        load_preset(path)
    path.write_text("isolate: all\n")
    assert load_preset(path) == {"isolate": "all"}


@pytest.mark.parametrize("address", ["ray://example.test:10001", "10.1.2.3:6379"])
def test_no_preset_names_a_cluster(tmp_path: Path, address: str) -> None:
    """What Ray gets from another machine it unpickles."""
    path = tmp_path / "p.yaml"
    path.write_text(f"cluster: '{address}'\n")
    with pytest.raises(ConfigError, match=r"never taken from a file.*type --cluster"):
        load_preset(path)
    path.write_text("cluster: local\n")
    assert load_preset(path) == {"cluster": "local"}
