"""Energy meters: counters that start again, that stand still, that are closed, and cards that cannot be told apart."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from detectattn.compare import messages as msg
from detectattn.compare.energy import EnergyMeter, open_meter
from detectattn.compare.speed import compute_joules_per_image

FULL_UJ = 262_143_328_850


def write_zone(powercap: Path, zone: str, name: str, energy_uj: int, full: int | None = FULL_UJ) -> Path:
    folder = powercap / zone
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    if full is not None:
        (folder / "max_energy_range_uj").write_text(f"{full}\n")
    return folder / "energy_uj"


def open_rapl(powercap: Path) -> EnergyMeter:
    meter = open_meter("cpu", powercap)
    assert meter is not None
    assert meter.name == "rapl"
    return meter


def test_rapl_adds_up_packages_alone(tmp_path: Path) -> None:
    first = write_zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    second = write_zone(tmp_path, "intel-rapl:1", "package-1-die-0", 1_000_000)
    others = [
        write_zone(tmp_path, "intel-rapl:0:0", "core", 0),
        write_zone(tmp_path, "intel-rapl:0:1", "dram", 0),
        write_zone(tmp_path, "intel-rapl:2", "psys", 0),
        write_zone(tmp_path, "intel-rapl-mmio:0", "package-0", 0),
    ]
    (tmp_path / "intel-rapl").mkdir()
    meter = open_rapl(tmp_path)
    before = meter.read()
    first.write_text("7500000\n")
    second.write_text("1250000\n")
    for path in others:
        path.write_text("900000000\n")
    assert meter.compute_joules(before, meter.read()) == pytest.approx(2.75)


def test_a_counter_that_starts_again_goes_on_counting(tmp_path: Path) -> None:
    counter = write_zone(tmp_path, "intel-rapl:0", "package-0", FULL_UJ - 1_000_000)
    meter = open_rapl(tmp_path)
    before = meter.read()
    counter.write_text("500000\n")
    assert meter.compute_joules(before, meter.read()) == pytest.approx(1.5)


def test_a_restart_of_unknown_range_is_not_guessed(tmp_path: Path) -> None:
    counter = write_zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000, full=None)
    meter = open_rapl(tmp_path)
    before = meter.read()
    counter.write_text("2000000\n")
    assert meter.compute_joules(before, meter.read()) == pytest.approx(1.0)
    counter.write_text("500000\n")
    assert meter.compute_joules(before, meter.read()) is None


def test_no_rapl_no_figure(tmp_path: Path) -> None:
    assert open_meter("cpu", tmp_path / "absent") is None
    assert open_meter("cpu", tmp_path) is None
    write_zone(tmp_path, "intel-rapl:0", "psys", 5)
    assert open_meter("cpu", tmp_path) is None


def test_one_closed_package_closes_the_meter(tmp_path: Path) -> None:
    write_zone(tmp_path, "intel-rapl:0", "package-0", 5)
    # A folder in the counter's place cannot be read by anyone, the administrator included.
    write_zone(tmp_path, "intel-rapl:1", "package-1", 5).unlink()
    (tmp_path / "intel-rapl:1" / "energy_uj").mkdir()
    assert open_meter("cpu", tmp_path) is None


def test_a_meter_that_closes_meanwhile_gives_no_figure(tmp_path: Path) -> None:
    counter = write_zone(tmp_path, "intel-rapl:0", "package-0", 5)
    meter = open_rapl(tmp_path)
    before = meter.read()
    counter.unlink()
    assert meter.read() is None
    assert meter.compute_joules(before, meter.read()) is None


@pytest.mark.parametrize("device", ["mps", "gpu", "gpu.1", "npu"])
def test_other_devices_have_no_meter(tmp_path: Path, device: str) -> None:
    write_zone(tmp_path, "intel-rapl:0", "package-0", 5)
    assert open_meter(device, tmp_path) is None


class FakeNvml(ModuleType):
    """What this project uses of pynvml, with as many cards as there are counts."""

    class NVMLError(Exception):
        pass

    def __init__(self, *millijoules: int, fails: str = "") -> None:
        super().__init__("pynvml")
        self.millijoules = list(millijoules)
        self.fails = fails

    def _call(self, name: str) -> None:
        if self.fails == name:
            raise self.NVMLError(name)

    def nvmlInit(self) -> None:  # noqa: N802 - NVML's name
        self._call("init")

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - NVML's name
        return len(self.millijoules)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802 - NVML's name
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:  # noqa: N802 - NVML's name
        self._call("uuid")
        return int(uuid.removeprefix("GPU-card"))

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802 - NVML's name
        self._call("energy")
        return self.millijoules[handle]


class FakeTorch(ModuleType):
    """CUDA devices by the cards that they are: ``cuda:0`` is the first of them."""

    def __init__(self, *uuids: str) -> None:
        super().__init__("torch")
        self.cuda = SimpleNamespace(
            is_available=lambda: bool(uuids),
            get_device_properties=lambda device: SimpleNamespace(uuid=uuids[int(device.partition(":")[2])]),
        )


@pytest.fixture
def install(monkeypatch: Any) -> Any:
    """Puts fakes in the place of modules."""

    def put(nvml: FakeNvml, torch: FakeTorch | None = None) -> None:
        monkeypatch.setattr("detectattn.compare.energy.find_spec", lambda _: object())
        monkeypatch.setitem(sys.modules, "pynvml", nvml)
        monkeypatch.setitem(sys.modules, "torch", torch or FakeTorch())

    return put


def test_nvml_reads_the_card_that_cuda_means(install: Any) -> None:
    nvml = FakeNvml(1_000, 50_000)
    install(nvml, FakeTorch("card1", "card0"))
    meter = open_meter("cuda:0")
    assert meter is not None
    assert meter.name == "nvml"
    before = meter.read()
    nvml.millijoules[1] += 2_500
    assert meter.compute_joules(before, meter.read()) == pytest.approx(2.5)
    nvml.fails = "energy"
    assert meter.read() is None


def test_a_single_card_needs_no_identifier(install: Any) -> None:
    install(FakeNvml(1_000))
    assert open_meter("cuda:0") is not None


@pytest.mark.parametrize(
    "nvml",
    [FakeNvml(1, 2), FakeNvml(), FakeNvml(1, fails="init"), FakeNvml(1, fails="energy")],
    ids=["which of two", "none", "no driver", "card without a counter"],
)
def test_no_card_that_can_be_read_no_figure(install: Any, nvml: FakeNvml) -> None:
    install(nvml)
    assert open_meter("cuda:0") is None


def test_an_unknown_identifier_is_no_figure(install: Any) -> None:
    install(FakeNvml(1, fails="uuid"), FakeTorch("card0"))
    assert open_meter("cuda:0") is None


def test_without_the_package_there_is_no_figure(monkeypatch: Any) -> None:
    monkeypatch.setattr("detectattn.compare.energy.find_spec", lambda _: None)
    assert open_meter("cuda:0") is None


@pytest.mark.parametrize(
    ("joules", "expected"),
    [
        ([3.0, 5.0], 0.4),
        ([0.0, 5.0], 0.25),
        ([3.0, None], None),
        ([0.0, 0.0], None),
        ([], None),
    ],
)
def test_energy_of_a_picture_is_that_of_all_rounds(joules: list[float | None], expected: float | None) -> None:
    times = (1.0,) * 10
    rounds = [msg.StageTimes(times, times, times, energy_j) for energy_j in joules]
    assert compute_joules_per_image(rounds) == expected
