"""An NVIDIA GPU that is not there: a driver that reports it, and ONNX Runtime's build for it, which the CPU serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from detectattn.conversion import device
from detectattn.engines import onnx as onnx_engine
from detectattn.engines import tensorrt
from tests.engines.test_tensorrt import ALL, FakeRuntime

NAME = "NVIDIA H200 (9.0)"

InstallGpu = Callable[..., FakeRuntime]


@pytest.fixture
def install_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[InstallGpu]:
    """Puts it in place: ``install_gpu(available=[…], startable=[…])``, by default with every provider."""
    real = onnx_engine.import_runtime()

    def install(available: list[str] = ALL, startable: list[str] = ALL, devices: int = 1) -> FakeRuntime:
        fake = FakeRuntime(real, available, startable)
        for module in (onnx_engine, tensorrt):
            monkeypatch.setattr(module, "import_runtime", lambda: fake)
        monkeypatch.setattr(device, "count_cuda_devices", lambda: devices)
        monkeypatch.setattr(device, "describe_cuda_device", lambda index: NAME if index < devices else None)
        device._can_start_cuda.cache_clear()
        return fake

    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    yield install
    device._can_start_cuda.cache_clear()
