"""What is judged of what was found: every check as a pure function of the probes' answers."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from detectattn.doctor import storage
from detectattn.doctor.ask import Answer
from detectattn.doctor.engines import check_engines, check_packages, list_runnable
from detectattn.doctor.hardware import check_devices, check_machine, list_devices
from detectattn.doctor.media import check_labels, check_pictures, check_screen, check_video
from detectattn.doctor.probes import PROBES
from detectattn.doctor.report import Check, DoctorReport, Group
from detectattn.machine import is_older

GONE = Answer(None, "ModuleNotFoundError: no such module")
VERSIONS = {
    "python": "3.11.7", "ultralytics": "8.4.190", "torch": "2.13.0+cpu", "openvino": "2026.4.1",
    "onnxruntime": "1.31.1",    "opencv-python": "5.0.0", "numpy": "2.4.6", "pillow": "13.0.0", "av": "18.1.0",
}  # fmt: skip
MACHINE = {
    "cpu": "A CPU", "cpu_features": ["AVX2"], "logical_cores": 8, "usable_cores": 8, "memory_bytes": 16 * 2**30,
    "os": "Linux 6", "arch": "x86_64",
}  # fmt: skip
H200 = {"name": "NVIDIA H200", "memory_bytes": 150_000_000_000}


def answers(**facts: dict[str, Any] | None) -> dict[str, Answer]:
    """Every probe fine, save those that are named: None stands for one that could not answer."""
    fine: dict[str, dict[str, Any] | None] = {name: {"version": "1"} for name in PROBES}
    fine["torch"] = {"version": "2.13.0+cpu", "built_for": None, "gpus": [], "mps": False}
    fine["openvino"] = {"devices": {"CPU": "A CPU"}}
    fine["onnxruntime"] = {"providers": ["AzureExecutionProvider", "CPUExecutionProvider"]}
    fine["nvidia"] = None
    return {name: GONE if found is None else Answer(found) for name, found in (fine | facts).items()}


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.mark.parametrize(
    ("change", "name", "status", "says"),
    [
        ({}, "Processor", "ok", "A CPU, 8 cores: AVX2"),
        ({"usable_cores": 2}, "Processor", "ok", "2 of 8 cores usable"),
        ({"cpu_features": ["AVX-VNNI"]}, "Processor", "warn", "8 cores"),
        ({"cpu_features": [], "cpu": None}, "Processor", "ok", "unknown, 8 cores"),
        ({"arch": "aarch64", "cpu_features": ["NEON"]}, "Processor", "ok", "NEON"),
        ({}, "Memory", "ok", "17.2 GB"),
        ({"memory_bytes": 2 * 2**30}, "Memory", "warn", "2.15 GB"),
        ({"memory_bytes": None}, "Memory", "ok", "unknown"),
    ],
)
def test_machine(change: dict[str, Any], name: str, status: str, says: str) -> None:
    check = by_name(check_machine(MACHINE | change, VERSIONS))[name]
    assert check.status == status
    assert says in check.detail
    assert bool(check.hint) == (status == "warn")


def test_an_old_python_cannot_run_it() -> None:
    assert by_name(check_machine(MACHINE, VERSIONS | {"python": "3.10.14"}))["Python"].status == "fail"


@pytest.mark.parametrize(
    ("facts", "name", "status", "says"),
    [
        ({}, "CUDA", "absent", "no NVIDIA GPU"),
        ({"torch": {"gpus": [H200], "built_for": "12.8"}, "nvidia": {"driver": "570.1", "names": ["NVIDIA H200"]}},
         "CUDA 0", "ok", "NVIDIA H200, 150 GB, driver 570.1"),
        ({"torch": {"gpus": [H200, H200], "built_for": "12.8"}}, "CUDA 1", "ok", "NVIDIA H200, 150 GB"),
        ({"nvidia": {"driver": "570.1", "names": ["NVIDIA T4"]}}, "CUDA", "warn", "this PyTorch is built for CPUs"),
        ({"torch": {"gpus": [], "built_for": "13.0"}, "nvidia": {"driver": "470", "names": ["NVIDIA T4"]}},
         "CUDA", "warn", "PyTorch cannot use it"),
        ({"openvino": {"devices": {"CPU": "A CPU", "GPU": "Intel Arc"}}}, "OpenVINO GPU", "ok", "Intel Arc"),
        ({"torch": {"gpus": [], "mps": True}}, "MPS", "ok", "Apple GPU"),
        ({"torch": None}, "MPS", "absent", "none"),
    ],
)  # fmt: skip
def test_devices(facts: dict[str, Any], name: str, status: str, says: str) -> None:
    check = by_name(check_devices(answers(**facts), is_mac=name == "MPS"))[name]
    assert check.status == status
    assert says in check.detail
    assert bool(check.hint) == (status == "warn")


def test_devices_are_listed_as_the_option_takes_them() -> None:
    assert list_devices(answers()) == ("cpu",)
    assert list_devices(answers(torch={"gpus": [H200, H200], "mps": False})) == ("cpu", "cuda:0", "cuda:1")
    assert list_devices(answers(torch={"gpus": [], "mps": True})) == ("cpu", "mps")
    assert list_devices(answers(torch=None)) == ("cpu",)


@pytest.mark.parametrize(
    ("versions", "facts", "name", "status", "says"),
    [
        ({}, {}, "PyTorch", "ok", "2.13.0+cpu"),
        ({"torch": None}, {"torch": None}, "PyTorch", "warn", 'pip install "torch>=2.6"'),
        ({"torch": "2.5.1"}, {}, "PyTorch", "fail", "too old to load .pt files safely"),
        ({}, {"torch": None}, "PyTorch", "warn", "cannot be imported (ModuleNotFoundError"),
        ({}, {}, "OpenVINO", "ok", "2026.4.1, on CPU"),
        ({"openvino": None}, {"openvino": None}, "OpenVINO", "absent", 'pip install "detectattn[openvino]"'),
        ({}, {"openvino": None}, "OpenVINO", "warn", "cannot be used (ModuleNotFoundError"),
        ({}, {}, "ONNX Runtime", "ok", "1.31.1, on CPU"),
        ({"onnxruntime": None}, {"onnxruntime": None}, "ONNX Runtime", "absent", 'pip install "detectattn[onnx]"'),
        ({}, {}, "TensorRT", "absent", "not installed"),
        ({"tensorrt": "10.1"}, {"tensorrt": None}, "TensorRT", "warn", "cannot be imported"),
        ({}, {}, "Ultralytics", "ok", "8.4.190"),
        ({"ultralytics": "8.4.100"}, {}, "Ultralytics", "fail", 'pip install --upgrade "ultralytics>=8.4.125"'),
        ({"ultralytics": None}, {}, "Ultralytics", "warn", "not installed"),
        ({}, {"torchvision": None}, "torchvision", "absent", "detection works without it"),
        ({"torchvision": None}, {"torchvision": None}, "torchvision", "absent", "not installed"),
        ({}, {"opencv": None}, "OpenCV", "fail", "cannot be used"),
        ({"av": None}, {"av": None}, "PyAV", "fail", "pip install av"),
    ],
)
def test_engines_and_packages(
    versions: dict[str, str | None], facts: dict[str, Any], name: str, status: str, says: str
) -> None:
    installed = {k: v for k, v in ({**VERSIONS, "torchvision": "0.28.0"} | versions).items() if v is not None}
    torchvision = installed.pop("torchvision", None)
    given = answers(**facts)
    check = by_name([*check_engines(given, installed), *check_packages(given, installed, torchvision)])[name]
    assert check.status == status
    assert says in f"{check.detail} {check.hint}"


@pytest.mark.parametrize(
    ("missing", "runnable"),
    [
        ((), (".pt files", "OpenVINO folders", ".onnx files")),
        (("ultralytics",), ("OpenVINO folders", ".onnx files")),
        (("torch", "ultralytics", "onnxruntime"), ("OpenVINO folders",)),
        (("torch", "openvino", "onnxruntime"), ()),
    ],
)
def test_what_can_run(missing: tuple[str, ...], runnable: tuple[str, ...]) -> None:
    versions = {name: version for name, version in VERSIONS.items() if name not in missing}
    given = answers()
    assert list_runnable([*check_engines(given, versions), *check_packages(given, versions, None)]) == runnable


@pytest.mark.parametrize(
    ("version", "floor", "older"),
    [
        ("2.6.0+cpu", "2.6", False),
        ("2.13.0", "2.6", False),
        ("2.5.1+cu124", "2.6", True),
        ("8.4.66", "8.4.67", True),
        ("8.4.67", "8.4.67", False),
        ("8.5.0", "8.4.67", False),
        ("2.7.0a0+git1234", "2.6", False),
    ],
)
def test_versions_are_compared_by_number(version: str, floor: str, older: bool) -> None:
    assert is_older(version, floor) is older


def test_video() -> None:
    every = {"h264", "hevc", "libdav1d", "vp9", "vp8", "mpeg4", "mjpeg"}
    whole = Answer({"encoders": {"libx264": True, "aac": True}, "decoders": dict.fromkeys(every, True)})
    assert {check.status for check in check_video(whole)} == {"ok"}
    poor = Answer({"encoders": {}, "decoders": dict.fromkeys(every - {"libdav1d"}, True)})
    reads, writes, sound = check_video(poor)
    assert (reads.status, writes.status, sound.status) == ("warn", "warn", "warn")
    assert "but not AV1" in reads.detail
    assert "libx264" in writes.detail


def test_pictures() -> None:
    formats = {"JPEG": True, "AVIF": True}
    assert check_pictures(Answer({"formats": formats}), Answer({}))[0] == Check("Reads", "ok", "JPEG, AVIF, HEIC")
    without_heif = check_pictures(Answer({"formats": formats}), GONE)[0]
    assert (without_heif.status, without_heif.hint) == ("warn", "pip install --upgrade pillow-heif")
    without_avif = check_pictures(Answer({"formats": formats | {"AVIF": False}}), Answer({}))[0]
    assert without_avif.detail == "JPEG, HEIC, but not AVIF"
    assert without_avif.hint == "pip install --upgrade pillow"


@pytest.mark.parametrize(
    ("windows", "environment", "system", "status"),
    [
        ("QT5", {"DISPLAY": ":0"}, "Linux", "ok"),
        ("GTK", {"WAYLAND_DISPLAY": "wayland-0"}, "Linux", "ok"),
        ("QT5", {}, "Linux", "absent"),
        ("", {"DISPLAY": ":0"}, "Linux", "absent"),
        ("COCOA", {}, "Darwin", "ok"),
    ],
)
def test_screen(windows: str, environment: dict[str, str], system: str, status: str) -> None:
    assert check_screen(Answer({"windows": windows}), environment, system).status == status


def test_labels_name_the_scripts_that_no_font_has() -> None:
    check = check_labels({"Latin": True, "Korean": False})
    assert check.status == "absent"
    assert check.detail == "fonts for Latin"
    assert "Korean" in check.hint
    assert check_labels({"Latin": True}).hint == ""


def test_storage_looks_and_leaves_nothing(tmp_path: Path) -> None:
    cache, weights = tmp_path / "a" / "cache", tmp_path / "a" / "cache" / "weights"
    found = by_name(storage.check_storage(cache, weights, [], tmp_path))
    assert "not made yet" in found["Cache"].detail
    assert found["Models"].status == "absent"
    assert list(tmp_path.iterdir()) == []
    weights.mkdir(parents=True)
    (weights / "yolo11n.pt").write_bytes(b"x" * 2048)
    (weights / "yolo11n.pt.json").write_bytes(b"{}")
    found = by_name(storage.check_storage(cache, weights, ["demo-rtdetr"], tmp_path))
    assert "2.05 kB used" in found["Cache"].detail
    assert found["Models"] == Check("Models", "ok", "demo-rtdetr, yolo11n.pt")


def test_a_full_disk_and_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _: usage(2**40, 2**40, 2**20))
    found = by_name(storage.check_storage(tmp_path / "cache", tmp_path / "cache" / "weights", [], tmp_path))
    assert (found["Cache"].status, found["Runs"].status) == ("warn", "warn")
    monkeypatch.setattr(storage.os, "access", lambda *_: False)
    found = by_name(storage.check_storage(tmp_path / "cache", tmp_path / "cache" / "weights", [], tmp_path))
    assert "DETECTATTN_CACHE" in found["Cache"].hint
    assert "--out" in found["Runs"].hint


def test_ready_needs_an_engine_and_no_failure() -> None:
    fine, broken = Check("A", "ok", ""), Check("B", "fail", "")
    assert DoctorReport((Group("G", (fine,)),), (".onnx files",), ("cpu",)).ready
    assert not DoctorReport((Group("G", (fine,)),), (), ("cpu",)).ready
    assert not DoctorReport((Group("G", (fine, broken)),), (".onnx files",), ("cpu",)).ready
