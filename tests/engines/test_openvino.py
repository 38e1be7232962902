"""OpenVINO: shapes, streams, precision and the cache of compiled models, none of which moves a result."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectattn.engines import compiled_cache, open_detector, openvino
from detectattn.engines.base import EngineOptions
from detectattn.engines.compiled_cache import open_compiled_cache
from detectattn.engines.openvino_runtime import choose_arithmetic
from detectattn.errors import EngineError
from detectattn.machine import count_usable_cores
from detectattn.types import WeightsFile
from tests.engines.tiny_openvino import write_tiny_openvino


def open_tiny(weights: WeightsFile, **options: Any) -> Any:
    return open_detector(weights, EngineOptions(device="cpu", **options))


def random_planes(height: int, width: int, seed: int = 0, batch: int = 1) -> Any:
    return np.random.default_rng(seed).random((batch, 3, height, width), np.float32)


def test_float_model_takes_each_pictures_own_rectangle(tmp_path: Path) -> None:
    detector = open_tiny(write_tiny_openvino(tmp_path))
    assert detector.plan((480, 640)).net_hw == (480, 640)
    assert detector.plan((400, 1000)).net_hw == (256, 640)
    for shape in ((480, 640), (256, 640), (480, 640)):
        assert detector.engine.infer(random_planes(*shape))[0].shape == (1, 6, shape[0] * shape[1] // 1024)


def test_quantised_model_takes_few_shapes(tmp_path: Path) -> None:
    detector = open_tiny(write_tiny_openvino(tmp_path, quantised=True))
    assert detector.info.precision == "int8"
    shapes = {detector.plan((height, 1000)).net_hw for height in range(10, 1001, 30)}
    assert shapes == {(side, 640) for side in (160, 288, 384, 448, 480, 512, 640)}
    assert detector.plan((480, 640)).net_hw == (480, 640)


def test_no_free_shape_reaches_openvino(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantised, a model is compiled once for each shape; of many, those used last are kept."""
    compiled: list[Any] = []
    detector = open_tiny(write_tiny_openvino(tmp_path, quantised=True))
    core = detector.engine._core

    class Recorder:
        def compile_model(self, model: Any, *rest: Any) -> Any:
            assert not model.is_dynamic()
            compiled.append(tuple(model.input(0).shape))
            return core.compile_model(model, *rest)

    monkeypatch.setattr(detector.engine, "_core", Recorder())
    monkeypatch.setattr(openvino, "_MOST_COMPILED", 2)
    for height in (160, 288, 160, 384, 160, 288):
        assert detector.engine.infer(random_planes(height, 640))[0].shape == (1, 6, height * 20 // 32)
    # 384 took the place of 288, which was used least lately, not that of 160.
    assert compiled == [(1, 3, height, 640) for height in (160, 288, 384, 288)]


def test_quantised_result_depends_on_no_other_picture(tmp_path: Path) -> None:
    weights = write_tiny_openvino(tmp_path, quantised=True)
    wide, high = random_planes(256, 640), random_planes(640, 384, seed=1)
    first = open_tiny(weights)
    before = [first.engine.infer(planes)[0] for planes in (wide, high)]
    second = open_tiny(weights)
    after = [second.engine.infer(planes)[0] for planes in (high, wide, high)]
    np.testing.assert_array_equal(before[0], after[1])
    np.testing.assert_array_equal(before[1], after[0])
    np.testing.assert_array_equal(before[1], after[2])


@pytest.mark.parametrize("quantised", [False, True])
def test_batches_of_another_size_still_run(tmp_path: Path, quantised: bool) -> None:
    detector = open_tiny(write_tiny_openvino(tmp_path, quantised=quantised, side=64, imgsz=64), batch=2)
    alone = [detector.engine.infer(random_planes(64, 64, seed))[0] for seed in range(3)]
    together = detector.engine.infer(np.concatenate([random_planes(64, 64, seed) for seed in range(3)]))[0]
    np.testing.assert_allclose(np.concatenate(alone), together, atol=1e-5)


@pytest.mark.parametrize("quantised", [False, True])
def test_side_by_side_gives_the_same(tmp_path: Path, quantised: bool) -> None:
    weights = write_tiny_openvino(tmp_path, quantised=quantised)
    tensors = [random_planes(128 * (1 + n % 3), 640, n) for n in range(24)]
    single = open_tiny(weights, threads=1)
    expected = [single.engine.infer(tensor)[0] for tensor in tensors]
    several = open_tiny(weights, hint="throughput", streams=2)
    assert single.engine.spec.streams == 1
    # On one core it is OpenVINO's to say.
    assert several.engine.spec.streams == 2 or count_usable_cores() == 1
    with ThreadPoolExecutor(4) as pool:
        found = [outputs[0] for outputs in pool.map(several.engine.infer, tensors)]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("wanted", "stored", "capabilities", "expected"),
    [
        ("auto", "fp32", ["FP32", "BF16", "FP16"], ("f32", "fp32")),
        ("auto", "int8", ["FP32", "BF16"], ("f32", "int8")),
        ("int8", "int8", ["FP32"], ("f32", "int8")),
        ("bf16", "fp32", ["FP32", "BF16"], ("bf16", "bf16")),
        ("fp16", "fp32", ["FP32", "FP16"], ("f16", "fp16")),
        ("fp16", "fp16", ["FP32", "FP16"], ("f16", "fp16")),
        ("fp16", "fp16", ["FP32"], ("f32", "fp16")),
        ("fp32", "fp16", ["FP32", "FP16"], ("f32", "fp16")),
    ],
)
def test_arithmetic_is_float32_unless_asked_for(
    wanted: str, stored: str, capabilities: list[str], expected: tuple[str, str]
) -> None:
    assert choose_arithmetic(wanted, stored, capabilities, "model.xml") == expected


@pytest.mark.parametrize(
    ("wanted", "stored", "message"),
    [
        ("bf16", "fp32", "does not compute in BF16. Use --precision fp32 or fp16"),
        ("fp32", "int8", "model.xml holds INT8 weights and cannot run in FP32"),
        ("int8", "fp32", "model.xml holds FP32 weights and cannot run in INT8"),
    ],
)
def test_precision_that_cannot_be_had_is_refused(wanted: str, stored: str, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        choose_arithmetic(wanted, stored, ["FP32", "FP16"], "model.xml")


def test_compiled_models_are_kept_for_the_next_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    weights = write_tiny_openvino(tmp_path, sha256="0123456789abcdef" * 4)
    planes = random_planes(480, 640)
    fresh = open_tiny(weights).engine.infer(planes)[0]
    [blob] = (tmp_path / "cache" / "compiled" / "0123456789abcdef").iterdir()
    np.testing.assert_array_equal(open_tiny(weights).engine.infer(planes)[0], fresh)
    # What is damaged is compiled anew.
    blob.chmod(0o600)
    blob.write_bytes(blob.read_bytes()[:500])
    np.testing.assert_array_equal(open_tiny(weights).engine.infer(planes)[0], fresh)


def test_compiled_models_of_no_known_bytes_or_of_long_runs_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    open_tiny(write_tiny_openvino(tmp_path / "a"))
    open_tiny(write_tiny_openvino(tmp_path / "b", sha256="f" * 64), hint="throughput")
    assert not (tmp_path / "cache").exists()


def test_every_shape_of_a_quantised_model_is_kept_in_long_runs_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    weights = write_tiny_openvino(tmp_path, quantised=True, sha256="d" * 64)
    detector = open_tiny(weights, hint="throughput")
    for height in (160, 288):
        detector.engine.infer(random_planes(height, 640))
    assert len(list((tmp_path / "cache" / "compiled" / ("d" * 16)).iterdir())) == 2


def test_least_recently_used_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path))
    monkeypatch.setattr(compiled_cache, "_MOST_BYTES", 250)
    folders = []
    for number, digit in enumerate("abc"):
        folder = open_compiled_cache(WeightsFile(tmp_path, digit * 64, "openvino", "local"))
        assert folder is not None
        (folder / "1.blob").write_bytes(bytes(100))
        os.utime(folder, (number, number))
        folders.append(folder)
    open_compiled_cache(WeightsFile(tmp_path, "a" * 64, "openvino", "local"))
    new = open_compiled_cache(WeightsFile(tmp_path, "d" * 64, "openvino", "local"))
    assert [folder.exists() for folder in folders] == [True, False, True]
    assert new is not None
    assert new.is_dir()


def test_no_cache_where_none_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "file"))
    weights = write_tiny_openvino(tmp_path, sha256="e" * 64)
    assert open_compiled_cache(weights) is None
    assert open_tiny(weights).engine.infer(random_planes(64, 64))[0].shape == (1, 6, 4)
