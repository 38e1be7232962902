"""What runs models, and the packages that runs need."""

from __future__ import annotations

from collections.abc import Mapping

from detectattn.doctor.ask import Answer
from detectattn.doctor.report import Check
from detectattn.machine import TORCH_FLOOR, ULTRALYTICS_FLOOR, is_older

# In every build of ONNX Runtime, but it calls a service on the network and runs nothing here.
_REMOTE_PROVIDER = "AzureExecutionProvider"


def check_engines(answers: Mapping[str, Answer], versions: Mapping[str, str]) -> list[Check]:
    """PyTorch, OpenVINO, ONNX Runtime, TensorRT; ``versions`` as :mod:`detectattn.machine` collects them."""
    devices = ", ".join(answers["openvino"].get("devices", {}))
    providers = [name for name in answers["onnxruntime"].get("providers", ()) if name != _REMOTE_PROVIDER]
    runs_on = ", ".join(name.removesuffix("ExecutionProvider") for name in providers)
    return [
        _check_torch(answers["torch"], versions.get("torch")),
        _check_extra("OpenVINO", "openvino", answers["openvino"], versions.get("openvino"), devices),
        _check_extra("ONNX Runtime", "onnx", answers["onnxruntime"], versions.get("onnxruntime"), runs_on),
        _check_tensorrt(answers["tensorrt"], versions.get("tensorrt")),
    ]


def _check_torch(answer: Answer, version: str | None) -> Check:
    wanted = f"torch>={TORCH_FLOOR}"
    if version is None:
        return Check("PyTorch", "warn", "not installed, so .pt files cannot run", f'pip install "{wanted}"')
    if is_older(version, TORCH_FLOOR):
        detail = f"{version} is too old to load .pt files safely"
        return Check("PyTorch", "fail", detail, f'pip install --upgrade "{wanted}"')
    if not answer:
        detail = f"{version} cannot be imported ({answer.problem})"
        return Check("PyTorch", "warn", detail, f'pip install --force-reinstall "{wanted}"')
    return Check("PyTorch", "ok", version)


def _check_extra(name: str, extra: str, answer: Answer, version: str | None, runs_on: str) -> Check:
    if version is None:
        return Check(name, "absent", "not installed", f'pip install "detectattn[{extra}]"')
    if not answer:
        detail = f"{version} cannot be used ({answer.problem})"
        return Check(name, "warn", detail, f'pip install --force-reinstall "detectattn[{extra}]"')
    return Check(name, "ok", f"{version}, on {runs_on}")


def _check_tensorrt(answer: Answer, version: str | None) -> Check:
    if version is None:
        return Check("TensorRT", "absent", "not installed; for NVIDIA GPUs only")
    if not answer:
        return Check("TensorRT", "warn", f"{version} cannot be imported ({answer.problem})")
    return Check("TensorRT", "ok", version)


def check_packages(answers: Mapping[str, Answer], versions: Mapping[str, str], torchvision: str | None) -> list[Check]:
    """Ultralytics, torchvision, and what every run decodes and computes with.

    Args:
        answers: Of the probes.
        versions: As :mod:`detectattn.machine` collects them.
        torchvision: Its installed version, which that collection leaves out since no run uses it.
    """
    return [
        _check_ultralytics(versions.get("ultralytics")),
        _check_torchvision(answers["torchvision"], torchvision),
        _check_needed("NumPy", "numpy", answers["numpy"], versions.get("numpy")),
        _check_needed("OpenCV", "opencv-python", answers["opencv"], versions.get("opencv-python")),
        _check_needed("Pillow", "pillow", answers["pillow"], versions.get("pillow")),
        _check_needed("PyAV", "av", answers["av"], versions.get("av")),
    ]


def _check_ultralytics(version: str | None) -> Check:
    wanted = f"ultralytics>={ULTRALYTICS_FLOOR}"
    if version is None:
        return Check("Ultralytics", "warn", "not installed, so .pt files cannot run", f'pip install "{wanted}"')
    if is_older(version, ULTRALYTICS_FLOOR):
        detail = f"{version} is too old to load .pt files safely"
        return Check("Ultralytics", "fail", detail, f'pip install --upgrade "{wanted}"')
    return Check("Ultralytics", "ok", version)


def _check_torchvision(answer: Answer, version: str | None) -> Check:
    if version is None:
        return Check("torchvision", "absent", "not installed; detection works without it")
    if not answer:
        detail = f"{version} cannot be imported ({answer.problem}); detection works without it"
        return Check("torchvision", "absent", detail)
    return Check("torchvision", "ok", f"{version}; detection does not use it")


def _check_needed(name: str, package: str, answer: Answer, version: str | None) -> Check:
    if version is None:
        return Check(name, "fail", "not installed", f"pip install {package}")
    if not answer:
        detail = f"{version} cannot be used ({answer.problem})"
        return Check(name, "fail", detail, f"pip install --force-reinstall {package}")
    return Check(name, "ok", version)


def list_runnable(checks: list[Check]) -> tuple[str, ...]:
    """What ``predict`` can run, from the checks of :func:`check_engines` and :func:`check_packages`."""
    fine = {check.name for check in checks if check.status == "ok"}
    needed = {
        ".pt files": {"PyTorch", "Ultralytics"},
        "OpenVINO folders": {"OpenVINO"},
        ".onnx files": {"ONNX Runtime"},
    }
    return tuple(kind for kind, parts in needed.items() if parts <= fine)
