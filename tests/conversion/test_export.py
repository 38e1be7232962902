"""Converted models give PyTorch's raw rows, at any shape and in any batch, and say what they are."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectattn.conversion.export import export_model, require_device, require_exporter, require_space
from detectattn.conversion.settings import ConversionSettings, EngineName
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.engines.pytorch import TorchEngine
from detectattn.errors import DeviceNotFound, DiskFull, EngineError, MissingExtra
from detectattn.types import F32, WeightsFile
from tests.attention.noisy_models import save_noisy
from tests.conversion import fake_gpu
from tests.conversion.fake_gpu import InstallGpu

install_gpu = fake_gpu.install_gpu

SIDE_PX = 160
LARGEST_SCORE = 1e-4


@pytest.fixture(scope="module")
def open_torch(embedded: Callable[[str], WeightsFile], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Opens a model with PyTorch at 160 pixels: an embedded one, or an architecture with noise for weights."""

    def open_one(name: str, **options: Any) -> Detector:
        known = name.startswith("demo")
        weights = (
            embedded(name)
            if known
            else WeightsFile(save_noisy(name, tmp_path_factory.mktemp("noisy")), "0" * 64, "pt", "local")
        )
        asked = EngineOptions(device="cpu", imgsz_hw=(SIDE_PX, SIDE_PX), **options)
        return Detector(TorchEngine(weights, asked), name, weights)

    return open_one


def convert(original: Detector, engine: EngineName, folder: Path, **options: Any) -> Detector:
    """The model converted and opened."""
    assert isinstance(original.engine, TorchEngine)
    asked = ConversionSettings(engine, net_hw=(SIDE_PX, SIDE_PX), **options)
    settings = asked.resolve(original.engine.spec.layout, (SIDE_PX, SIDE_PX))
    path = export_model(original.engine, settings, folder, "model", "0" * 64)
    weights = WeightsFile(folder if engine == "openvino" else path, "", engine, "converted")
    return open_detector(weights, EngineOptions(device="cpu"))


def assert_equal_rows(original: Detector, converted: Detector, tensor: F32, share: float, largest_px: float) -> None:
    """That the same rows come out: of the best queries two of nearly equal scores may have changed places."""
    spec = original.engine.spec
    pairs = list(zip(original.engine.infer(tensor), converted.engine.infer(tensor), strict=True))
    assert all(expected.shape == found.shape for expected, found in pairs)
    if spec.layout == "rtdetr_dense":
        errors = [np.abs(found - expected) for expected, found in pairs]
        boxes, scores = errors[0] * max(spec.net_hw), errors[1]
    else:
        error = np.abs(pairs[0][1] - pairs[0][0])
        rows = error.transpose(0, 2, 1) if spec.layout == "yolo_dense" else error
        boxes, scores = rows[..., :4], rows[..., 4:]
    assert np.quantile(boxes, share) < largest_px
    assert np.quantile(scores, share) < LARGEST_SCORE


@pytest.mark.parametrize(
    ("name", "engine", "cut", "share", "largest_px"),
    [
        ("demo-rtdetr", "openvino", {"decoder_layers": 1}, 0.98, 1e-3),
        ("demo-rtdetr", "onnx", {"decoder_layers": 1, "queries": 50}, 0.98, 1e-3),
        # Noise for weights lets rounding grow, in some rows more than in others.
        ("yolo26n", "onnx", {}, 0.75, 0.02),
    ],
    ids=["rtdetr-openvino", "rtdetr-onnx-cut", "yolo26n-onnx"],
)
def test_rows_are_those_of_pytorch(
    name: str,
    engine: EngineName,
    cut: dict[str, int],
    share: float,
    largest_px: float,
    open_torch: Any,
    street_pictures: list[Any],
    tmp_path: Path,
) -> None:
    """Pictures of two shapes, then a batch; and PyTorch's model is left as it was."""
    with closing(open_torch(name, **cut)) as original:
        fitted = [original.fit(bgr) for bgr in street_pictures]
        before = original.engine.infer(fitted[0][0][None])
        with closing(convert(original, engine, tmp_path)) as converted:
            for old, new in zip(before, original.engine.infer(fitted[0][0][None]), strict=True):
                np.testing.assert_array_equal(new, old)
            specs = [detector.engine.spec for detector in (original, converted)]
            for field in ("layout", "family", "fit", "net_hw", "stride", "class_names", "max_det"):
                assert getattr(specs[0], field) == getattr(specs[1], field)
            for bgr, (planes, resize) in zip(street_pictures, fitted, strict=True):
                assert converted.plan(bgr.shape[:2]) == resize
                assert_equal_rows(original, converted, planes[None], share, largest_px)
            assert len({resize.net_hw for _, resize in fitted}) == (1 if specs[0].fit == "stretch" else 2)
            assert_equal_rows(original, converted, np.stack([planes, planes[:, :, ::-1]]), share, largest_px)


def test_a_model_from_the_cache_gives_the_same_rows(
    open_torch: Any, filled_cache: Path, street_pictures: list[Any]
) -> None:
    [folder] = filled_cache.glob("engines/*/openvino-*")
    with (
        closing(open_torch("demo-yolo")) as original,
        closing(
            open_detector(WeightsFile(folder, "", "openvino", "converted"), EngineOptions(device="cpu"))
        ) as converted,
    ):
        for bgr in street_pictures:
            planes, resize = converted.fit(bgr)
            assert original.plan(bgr.shape[:2]) == resize
            assert_equal_rows(original, converted, planes[None], 1.0, 1e-3)
        assert_equal_rows(original, converted, np.stack([planes, planes[:, :, ::-1]]), 1.0, 1e-3)


def test_half_precision_is_half_the_size_and_says_so(
    open_torch: Any, street_pictures: list[Any], tmp_path: Path
) -> None:
    with closing(open_torch("demo-yolo")) as original:
        half = convert(original, "onnx", tmp_path, precision="fp16")
        assert half.info.precision == "fp16"
        parameters = sum(parameter.numel() for parameter in original.engine.model.parameters())
        assert 2 * parameters < (tmp_path / "model.onnx").stat().st_size < 3 * parameters
        for bgr in street_pictures:
            planes, resize = half.fit(bgr)
            assert resize == original.plan(bgr.shape[:2])
            expected, found = (detector.engine.infer(planes[None])[0][0] for detector in (original, half))
            assert np.abs(found[:4] - expected[:4]).max() < 1
            assert 0 < np.abs(found[4:] - expected[4:]).max() < 0.02


def test_what_the_exporter_does_not_know_is_an_error_of_one_line(
    open_torch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("No conversion rule for aten::strange\nmore lines")

    monkeypatch.setattr(torch.jit, "trace", refuse)
    with (
        closing(open_torch("demo-yolo")) as original,
        pytest.raises(EngineError, match="cannot be converted to openvino: No conversion rule for aten::strange"),
    ):
        convert(original, "openvino", tmp_path)


@pytest.mark.parametrize(("engine", "package"), [("openvino", "openvino"), ("onnx", "onnx")])
def test_a_missing_package_is_named(engine: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectattn.conversion.export.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=f"needs {package}, which is not installed"):
        require_exporter(engine)


def test_a_device_that_is_not_there_is_named_before_anything_is_converted(install_gpu: InstallGpu) -> None:
    require_device(ConversionSettings("openvino"))
    with pytest.raises(DeviceNotFound, match="device 'cuda' is not there"):
        require_device(ConversionSettings("openvino", device="cuda"))
    install_gpu()
    require_device(ConversionSettings("tensorrt", device="cuda:0"))
    with pytest.raises(DeviceNotFound, match="TensorRT does not run on device 'cpu'"):
        require_device(ConversionSettings("tensorrt", device="cpu"))
    install_gpu(available=["CPUExecutionProvider"])
    with pytest.raises(MissingExtra, match="built without TensorRT"):
        require_device(ConversionSettings("tensorrt", device="cuda:0"))


def test_a_full_disk_is_told_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**7))
    require_space(tmp_path, 10**6)
    with pytest.raises(DiskFull, match=r"10 MB of free space, and converting takes about 40 MB"):
        require_space(tmp_path, 10**7)
