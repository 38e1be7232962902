"""Where a conversion will run, before it is looked for."""

from __future__ import annotations

import pytest

from detectattn.conversion.device import describe_gpu, resolve_device
from detectattn.conversion.settings import ConversionSettings, collect_conditions, compute_key
from tests.conversion import fake_gpu
from tests.conversion.fake_gpu import InstallGpu
from tests.engines.test_tensorrt import ALL

install_gpu = fake_gpu.install_gpu


@pytest.mark.parametrize(
    ("engine", "name", "expected"),
    [
        ("openvino", "auto", "cpu"),
        ("openvino", "GPU", "gpu"),
        ("onnx", "auto", "cuda:0"),
        ("onnx", "cpu", "cpu"),
        ("onnx", "cuda", "cuda:0"),
        ("onnx", "cuda:1", "cuda:1"),
        ("tensorrt", "auto", "cuda:0"),
        ("tensorrt", "cpu", "cpu"),
    ],
)
def test_a_name_becomes_a_device(engine: str, name: str, expected: str, install_gpu: InstallGpu) -> None:
    install_gpu()
    assert resolve_device(engine, name) == expected


def test_auto_is_the_processor_where_onnx_runtime_cannot_start_on_the_gpu(install_gpu: InstallGpu) -> None:
    install_gpu(startable=["CPUExecutionProvider"])
    assert resolve_device("onnx", "auto") == "cpu"
    runtime = install_gpu()
    runtime.broken = RuntimeError("CUDA failure 2: out of memory")
    assert resolve_device("onnx", "auto") == "cpu"
    install_gpu(available=["CPUExecutionProvider"])
    assert resolve_device("onnx", "auto") == "cpu"
    runtime = install_gpu(devices=0)
    assert resolve_device("onnx", "auto") == "cpu"
    assert runtime.asked == []


def test_a_gpu_has_a_name_and_a_processor_has_none_here(install_gpu: InstallGpu) -> None:
    install_gpu()
    assert describe_gpu("onnx", "cuda:0") == describe_gpu("tensorrt", "cuda:0") == fake_gpu.NAME
    assert describe_gpu("onnx", "cuda:7") == describe_gpu("openvino", "no such device") == "unknown"
    assert [describe_gpu(engine, "cpu") for engine in ("openvino", "onnx")] == [None, None]


def test_what_was_judged_on_one_gpu_is_not_for_another(
    install_gpu: InstallGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_gpu(ALL)
    settings = ConversionSettings("onnx", device="cuda:0")
    first = collect_conditions(settings)
    assert first["gpu"] == fake_gpu.NAME
    monkeypatch.setattr("detectattn.conversion.device.describe_cuda_device", lambda _: "NVIDIA L4 (8.9)")
    other = collect_conditions(settings)
    on_cpu = ConversionSettings("onnx", device="cpu")
    keys = {compute_key("a", settings, first), compute_key("a", settings, other)}
    assert len(keys | {compute_key("a", on_cpu, collect_conditions(on_cpu))}) == 3
