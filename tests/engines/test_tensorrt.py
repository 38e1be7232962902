"""TensorRT through ONNX Runtime: what it is asked for, and what is said where it is missing. No GPU is needed here."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from detectattn.engines import onnx as onnx_engine
from detectattn.engines import open_detector, tensorrt
from detectattn.engines.base import EngineOptions
from detectattn.errors import CorruptWeights, DeviceNotFound, EngineError, MissingExtra, OutOfMemory
from detectattn.types import WeightsFile
from tests.compare.tiny_onnx import write_tiny_onnx

ALL = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


class FakeRuntime(SimpleNamespace):
    """ONNX Runtime as a GPU's owner has it: what it is asked for is kept, and the CPU does the work."""

    def __init__(self, real: Any, available: list[str], startable: list[str]) -> None:
        super().__init__(SessionOptions=real.SessionOptions, __version__="1.99")
        self.real, self.available, self.startable = real, available, startable
        self.broken: Exception | None = None
        self.asked: list[list[Any]] = []

    def get_available_providers(self) -> list[str]:
        return self.available

    def preload_dlls(self) -> None:
        print("Failed to load libcudnn.so.9")

    def InferenceSession(self, path: str, options: Any, providers: list[Any], **rest: Any) -> Any:  # noqa: N802
        assert rest == {"enable_fallback": 0}
        self.asked.append(providers)
        if self.broken is not None:
            raise self.broken
        session = self.real.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [provider if isinstance(provider, str) else provider[0] for provider in providers]
        session.get_providers = lambda: [name for name in names if name in self.startable]
        return session


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Puts a build of ONNX Runtime in place of the installed one."""
    real = onnx_engine.import_runtime()

    def put(available: list[str] = ALL, startable: list[str] = ALL) -> FakeRuntime:
        fake = FakeRuntime(real, available, startable)
        for module in (onnx_engine, tensorrt):
            monkeypatch.setattr(module, "import_runtime", lambda: fake)
        return fake

    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    return put


def write_model(folder: Path, *, free: bool = False) -> WeightsFile:
    weights = write_tiny_onnx(folder)
    if free:
        import onnx

        model = onnx.load(weights.path)
        for dimension, name in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], ("h", "w"), strict=True):
            dimension.dim_param = name
        model.graph.output[0].type.tensor_type.shape.dim[2].dim_param = "rows"
        onnx.save(model, weights.path)
    return WeightsFile(weights.path, "ab" * 32, "onnx", "local")


def open_trt(weights: WeightsFile, **options: Any) -> Any:
    return open_detector(weights, EngineOptions(**options), engine="tensorrt")


def test_what_tensorrt_is_asked_for(install: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runtime = install()
    detector = open_trt(write_model(tmp_path), device="cuda:1", precision="fp16", batch=2)
    (name, settings), cuda, last = runtime.asked[-1]
    folder = str(tmp_path / "cache" / "compiled" / ("ab" * 8))
    assert name == "TensorrtExecutionProvider"
    assert settings == {
        "device_id": 1,
        "trt_fp16_enable": True,
        "trt_max_workspace_size": 4 << 30,
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": folder,
        "trt_engine_cache_prefix": settings["trt_engine_cache_prefix"],
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": folder,
        "trt_profile_min_shapes": "images:2x3x64x64",
        "trt_profile_opt_shapes": "images:2x3x64x64",
        "trt_profile_max_shapes": "images:2x3x64x64",
    }
    assert settings["trt_engine_cache_prefix"].startswith("ort1.99-trt")
    assert settings["trt_engine_cache_prefix"].endswith("-fp16-2")
    assert cuda == ("CUDAExecutionProvider", {"device_id": 1, "use_tf32": 0})
    assert last == "CPUExecutionProvider"
    assert Path(folder).is_dir()
    assert (detector.info.engine, detector.info.device, detector.info.precision) == ("tensorrt", "cuda:1", "fp16")
    assert detector.batch == 2
    assert detector.engine.infer(np.zeros((2, 3, 64, 64), np.float32))[0].shape == (2, 6, 4)
    assert capsys.readouterr().out == ""


def test_free_sizes_are_built_for_once(install: Any, tmp_path: Path) -> None:
    runtime = install()
    detector = open_trt(write_model(tmp_path, free=True), imgsz_hw=(480, 640))
    settings = runtime.asked[-1][0][1]
    assert settings["trt_profile_min_shapes"] == "images:8x3x32x32"
    assert settings["trt_profile_opt_shapes"] == settings["trt_profile_max_shapes"] == "images:8x3x480x640"
    assert detector.batch == 8
    assert detector.plan((270, 480)).net_hw == (384, 640)


def test_single_precision_is_not_rounded(install: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE")
    runtime = install()
    assert open_trt(write_model(tmp_path)).info.precision == "fp32"
    assert runtime.asked[-1][0][1]["trt_fp16_enable"] is False
    assert tensorrt.os.environ["NVIDIA_TF32_OVERRIDE"] == "0"
    with pytest.raises(EngineError, match="in BF16 here"):
        open_trt(write_model(tmp_path), precision="bf16")


def test_what_is_missing_is_named(install: Any, tmp_path: Path) -> None:
    weights = write_model(tmp_path)
    install(available=["CPUExecutionProvider"])
    with pytest.raises(MissingExtra, match=r"without TensorRT .*pip install \"onnxruntime-gpu.* \"tensorrt-cu13<11\""):
        open_trt(weights)
    with pytest.raises(MissingExtra, match="without TensorRT"):
        tensorrt.require_tensorrt("auto")
    install(startable=ALL[1:])
    with pytest.raises(EngineError, match=r"cannot start its TensorrtExecutionProvider on cuda:0.*tensorrt-cu13<11"):
        open_trt(weights)
    with pytest.raises(DeviceNotFound, match="does not run on device 'cpu'"):
        open_trt(weights, device="cpu")


def test_cuda_that_cannot_start_is_no_silent_cpu(install: Any, tmp_path: Path) -> None:
    weights = write_model(tmp_path)
    runtime = install()
    assert open_detector(weights, EngineOptions(device="cuda"), engine="onnx").info.device == "cuda"
    assert runtime.asked[-1][0] == ("CUDAExecutionProvider", {"device_id": 0, "use_tf32": 0})
    install(startable=["CPUExecutionProvider"])
    with pytest.raises(EngineError, match="cannot start its CUDAExecutionProvider"):
        open_detector(weights, EngineOptions(device="cuda"), engine="onnx")
    assert open_detector(weights, EngineOptions(device="auto"), engine="onnx").info.device == "cpu"


def test_what_a_driver_says_is_not_laid_on_the_file(install: Any, tmp_path: Path) -> None:
    weights = write_model(tmp_path)
    runtime = install()
    runtime.broken = Exception("CUDA failure 100: no CUDA-capable device is detected")
    with pytest.raises(EngineError, match=r"CUDAExecutionProvider cannot run .*no CUDA-capable device"):
        open_detector(weights, EngineOptions(device="cuda"), engine="onnx")
    runtime.broken = Exception("Failed to allocate memory for requested buffer of size 268435456")
    with pytest.raises(OutOfMemory, match=r"too little memory to open .*onnx \(device cuda\)"):
        open_detector(weights, EngineOptions(device="cuda"), engine="onnx")
    runtime.broken = type("InvalidProtobuf", (Exception,), {})("Protobuf parsing failed.")
    with pytest.raises(CorruptWeights, match="Protobuf parsing failed"):
        open_detector(weights, EngineOptions(device="cuda"), engine="onnx")


@pytest.mark.parametrize("engine", ["onnx", "tensorrt"])
def test_a_device_needs_a_number(install: Any, tmp_path: Path, engine: str) -> None:
    install()
    with pytest.raises(DeviceNotFound, match="'cuda:x'"):
        open_detector(write_model(tmp_path), EngineOptions(device="cuda:x"), engine=engine)


@pytest.mark.parametrize("wanted", ["fp16", "int8"])
def test_a_precision_that_the_file_does_not_hold_is_refused(wanted: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=f"holds FP32 weights and cannot run in {wanted.upper()}"):
        open_detector(write_model(tmp_path), EngineOptions(device="cpu", precision=wanted))
