"""What a user of the package meets first: its version, a quick start-up, an installable wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import detectattn

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HEAVY = ("torch", "torchvision", "ultralytics", "cv2", "openvino", "onnxruntime", "av", "httpx", "numpy", "PIL", "rich",
         "polars", "yaml")  # fmt: skip


def _imported_by(code: str, *, path: Path = ROOT, cwd: Path | None = None) -> set[str]:
    """Which heavy packages a fresh interpreter has imported after ``code``; what it prints otherwise is ignored."""
    script = f"import sys, json\n{code}\nprint('\\n' + json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    environment = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=cwd, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_version_is_the_one_that_is_built() -> None:
    assert detectattn.__version__ == PYPROJECT["project"]["version"]


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert _imported_by("import detectattn") == set()


@pytest.mark.parametrize("command", [[], ["predict"], ["models"], ["doctor"]], ids=" ".join)
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    code = f"from detectattn.cli.app import run\nassert run({[*command, '--help']!r}) == 0"
    assert _imported_by(code) == set()


def test_public_names_can_be_imported() -> None:
    for name in detectattn.__all__:
        assert getattr(detectattn, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        detectattn.nonsense  # noqa: B018 - the access is what is tested


def test_torch_is_pinned_for_the_tests_and_free_for_users() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert "torch==2.13.0" in pins
    assert [d for d in PYPROJECT["project"]["dependencies"] if d.startswith("torch")] == ["torch>=2.6"]


def test_floors_that_doctor_names_are_the_ones_that_are_installed() -> None:
    from detectattn.machine import TORCH_FLOOR, ULTRALYTICS_FLOOR

    wanted = {f"torch>={TORCH_FLOOR}", f"ultralytics>={ULTRALYTICS_FLOOR}"}
    assert wanted <= set(PYPROJECT["project"]["dependencies"])


def test_extras() -> None:
    assert {"openvino", "onnx", "cluster"} <= set(PYPROJECT["project"]["optional-dependencies"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the wheel, is not installed")
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"detectattn/py.typed", "detectattn/weights/models.csv"} <= set(names)
    assert {name.split("/")[0] for name in names} == {"detectattn", f"detectattn-{detectattn.__version__}.dist-info"}
    assert not [name for name in names if "__pycache__" in name]


def test_the_wheel_works_elsewhere(wheel: Path, tmp_path: Path) -> None:
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    zipfile.ZipFile(wheel).extractall(installed)
    code = f"""
import detectattn
assert detectattn.__file__.startswith({str(installed)!r}), detectattn.__file__
from detectattn.cli.app import run
assert run(["models", "list"]) == 0
"""
    assert "torch" not in _imported_by(code, path=installed, cwd=elsewhere)
    assert list(elsewhere.iterdir()) == []
