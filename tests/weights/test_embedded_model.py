"""Embedded models load ready to run, from numbers and a YAML that can name no code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from detectattn.errors import CorruptWeights
from detectattn.weights.embedded_model import build_model, load_embedded_model, write_embedded_model

NAMES = ["person", "traffic light"]
TINY = {
    "backbone": [[-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [16, 3, 2]], [-1, 1, "Conv", [16, 3, 2]]],
    "head": [[[1, 2], 1, "Detect", ["nc"]]],
}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    write_embedded_model(path, build_model(TINY, NAMES).state_dict(), TINY, NAMES, 96)
    return path


def test_it_is_ready_to_run(tiny: Path) -> None:
    model = load_embedded_model(tiny)
    assert not model.training
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert not any(p.requires_grad for p in model.parameters())
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in model.modules())
    assert vars(model)["names"] == {0: "person", 1: "traffic light"}
    assert vars(model)["train_args"] == {"imgsz": 96}


def test_it_computes_what_the_written_model_does(tmp_path: Path) -> None:
    torch.manual_seed(1)
    original = build_model(TINY, NAMES)
    path = tmp_path / "tiny.safetensors"
    write_embedded_model(path, original.state_dict(), TINY, NAMES, 96)
    pixels = torch.rand(2, 3, 96, 96)
    with torch.inference_mode():
        before, after = original.eval()(pixels)[0], load_embedded_model(path)(pixels)[0]
    # Half precision keeps three digits.
    torch.testing.assert_close(after, before, rtol=5e-3, atol=5e-2)


def test_matrices_are_halved_and_statistics_are_not(tiny: Path) -> None:
    tensors = load_file(tiny)
    floating = {name: t for name, t in tensors.items() if t.is_floating_point()}
    assert {t.dtype for t in floating.values() if t.ndim > 1} == {torch.float16}
    assert {t.dtype for t in floating.values() if t.ndim == 1} == {torch.float32}


def test_configuration_is_not_changed(tiny: Path) -> None:
    before = json.dumps(TINY)
    build_model(TINY, NAMES)
    assert json.dumps(TINY) == before


@pytest.mark.parametrize(
    ("module", "named"),
    [("torchvision.ops.DeformConv2d", "torchvision"), ("__import__", "__import__"), ("nn.Sequential", "Sequential")],
)
def test_other_modules_are_refused(tiny: Path, module: str, named: str) -> None:
    config = {**TINY, "backbone": [[-1, 1, module, [8]], *TINY["backbone"][1:]]}
    _rewrite(tiny, model_yaml=yaml.safe_dump(config))
    with pytest.raises(CorruptWeights, match=named):
        load_embedded_model(tiny)


@pytest.mark.parametrize(
    "change",
    [
        {"model_yaml": "!!python/object/apply:os.system ['true']"},
        {"model_yaml": "backbone: []"},
        {"model_yaml": "[]"},
        {"model_yaml": yaml.safe_dump({**TINY, "activation": "__import__('os').getcwd()"})},
        {"class_names": '["one class too few"]'},
        {"class_names": '[["person"], ["traffic light"]]'},
        {"class_names": json.dumps(["a"] * 100_001)},
        {"imgsz": "large"},
    ],
)
def test_other_metadata_is_refused(tiny: Path, change: dict[str, str]) -> None:
    _rewrite(tiny, **change)
    with pytest.raises(CorruptWeights, match=r"tiny\.safetensors"):
        load_embedded_model(tiny)


def test_damaged_file_is_named(tiny: Path) -> None:
    tiny.write_bytes(tiny.read_bytes()[:-100])
    with pytest.raises(CorruptWeights, match=r"tiny\.safetensors cannot be read"):
        load_embedded_model(tiny)


def _rewrite(path: Path, **change: str) -> None:
    metadata = {"model_yaml": yaml.safe_dump(TINY), "class_names": json.dumps(NAMES), "imgsz": "96"}
    save_file(load_file(path), path, {**metadata, **change})
