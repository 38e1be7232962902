"""A GPU is asked for without PyTorch."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from detectattn.conversion import accelerator


class Driver:
    """Stands in for NVIDIA's library."""

    def __init__(self, devices: int, status: int = 0) -> None:
        self.devices = devices
        self.status = status

    def cuInit(self, _: int) -> int:  # noqa: N802 - the library's own name
        return self.status

    def cuDeviceGetCount(self, pointer: Any) -> int:  # noqa: N802 - the library's own name
        pointer._obj.value = self.devices
        return 0

    def cuDeviceGet(self, pointer: Any, index: int) -> int:  # noqa: N802 - the library's own name
        pointer._obj.value = 40 + index
        return 0 if index < self.devices else 101

    def cuDeviceGetName(self, name: Any, length: int, device: Any) -> int:  # noqa: N802 - the library's own name
        name.value = f"NVIDIA Card {device.value}".encode()[:length]
        return 0

    def cuDeviceGetAttribute(self, pointer: Any, attribute: int, device: Any) -> int:  # noqa: N802 - its own name
        pointer._obj.value = {75: 8, 76: 9}[attribute]
        return 0


@pytest.mark.parametrize(
    ("platform", "machine", "version", "driver", "expected"),
    [
        ("linux", "x86_64", "2.13.0", Driver(1), "cuda"),
        ("linux", "x86_64", "2.13.0+cu128", Driver(2), "cuda"),
        ("linux", "x86_64", "2.13.0+cpu", Driver(1), None),
        ("linux", "x86_64", None, Driver(1), None),
        ("linux", "x86_64", "2.13.0", Driver(0), None),
        ("linux", "x86_64", "2.13.0", Driver(1, status=100), None),
        ("linux", "x86_64", "2.13.0", None, None),
        ("darwin", "arm64", "2.13.0", None, "mps"),
        ("darwin", "x86_64", "2.13.0", None, None),
    ],
)
def test_find_accelerator(
    platform: str,
    machine: str,
    version: str | None,
    driver: Driver | None,
    expected: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(_: str) -> Driver:
        if driver is None:
            raise OSError("no such library")
        return driver

    monkeypatch.setattr(accelerator.sys, "platform", platform)
    monkeypatch.setattr(accelerator.platform, "machine", lambda: machine)
    monkeypatch.setattr(accelerator, "find_version", lambda _: version)
    monkeypatch.setattr(ctypes, "CDLL", load)
    assert accelerator.find_accelerator() == expected


def test_the_driver_names_its_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator.sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Driver(2))
    assert accelerator.describe_cuda_device(1) == "NVIDIA Card 41 (8.9)"
    assert accelerator.describe_cuda_device(2) is None
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Driver(2, status=100))
    assert accelerator.describe_cuda_device(0) is None
