"""What is known of the machine: parsed from what systems say, and true of this one."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import detectattn
from detectattn import machine

X86 = """processor	: 0
vendor_id	: GenuineIntel
model name	: Intel(R) Xeon(R)   Platinum 8481C CPU
flags		: fpu sse2 avx avx2 avx512f avx512_vnni amx_tile

processor	: 1
flags		: fpu sse2 avx avx2 avx512f avx512_vnni amx_tile
"""
GRAVITON = """processor	: 0
BogoMIPS	: 2100.00
Features	: fp asimd asimddp sve i8mm bf16
CPU implementer	: 0x41
"""
PI = "processor : 0\nFeatures : fp asimd\n\nModel : Raspberry Pi 5 Model B Rev 1.0\n"


@pytest.mark.parametrize(
    ("cpuinfo", "model", "features"),
    [
        (X86, "Intel(R) Xeon(R) Platinum 8481C CPU", ["AVX2", "AVX-512", "AVX-512 VNNI", "AMX"]),
        (GRAVITON, None, ["NEON", "dot product", "int8 matrix", "BF16", "SVE"]),
        (PI, "Raspberry Pi 5 Model B Rev 1.0", ["NEON"]),
        ("", None, []),
    ],
    ids=["x86", "graviton", "pi", "nothing"],
)
def test_cpuinfo(cpuinfo: str, model: str | None, features: list[str]) -> None:
    assert machine.parse_cpu_model(cpuinfo) == model
    assert machine.parse_cpu_features(cpuinfo) == features


def test_a_container_may_use_less_than_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_read_physical_memory_bytes", lambda: 64 * 2**30)
    for limit, usable in ((None, 64), (4 * 2**30, 4), (2**62, 64)):
        monkeypatch.setattr(machine, "_read_container_limit_bytes", lambda limit=limit: limit)
        assert machine.read_memory_bytes() == usable * 2**30


def test_last_level_caches_count_once_each(tmp_path: Path) -> None:
    shared = {0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3"}
    for core, cores in shared.items():
        for level, size, sharing in ((2, "1024K", str(core)), (3, "32768K", cores)):
            cache = tmp_path / f"cpu{core}" / "cache" / f"index{level}"
            cache.mkdir(parents=True)
            for name, value in (("level", level), ("size", size), ("shared_cpu_list", sharing)):
                (cache / name).write_text(f"{value}\n")
    assert machine.read_cache_bytes(tmp_path) == 2 * 32 * 2**20
    assert machine.read_cache_bytes(tmp_path / "nothing") is None


def test_this_machine() -> None:
    found = machine.collect_machine()
    assert found["logical_cores"] == os.cpu_count()
    assert 1 <= found["usable_cores"] <= found["logical_cores"]
    assert found["memory_bytes"] > 2**28
    assert found["arch"] == platform.machine()
    assert json.loads(json.dumps(found)) == found


def test_versions_are_those_of_the_installed_packages() -> None:
    found = machine.collect_versions()
    assert found["python"] == platform.python_version()
    assert found["detectattn"] == detectattn.__version__
    assert {name: found[name] for name in ("numpy", "pillow", "torch")} == {
        name: version(name) for name in ("numpy", "pillow", "torch")
    }


def test_a_package_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "DISTRIBUTIONS", (("no-such-package",), ("no-such-package", "numpy")))
    assert set(machine.collect_versions()) == {"python", "detectattn", "no-such-package"}
    assert machine.find_version("no-such-package") is None


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from detectattn.machine import *; collect_machine(); collect_versions(); "
        "print([m for m in ('torch', 'numpy', 'ultralytics', 'cv2') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(detectattn.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
