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


@pytest.mark.parametrize("command", [[], ["predict"], ["demo"], ["models"], ["doctor"]], ids=" ".join)
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


def test_the_wheel_holds_weights_samples_and_presets(wheel: Path) -> None:
    """All of them, byte for byte, and not the code that draws the samples."""
    with zipfile.ZipFile(wheel) as archive:
        prefix = "detectattn/assets/"
        held = {n.removeprefix(prefix): archive.read(n) for n in archive.namelist() if n.startswith(prefix)}
    weights = {path.name: path for path in (ROOT / "detectattn/assets").iterdir()}
    presets = {f"configs/{path.name}": path for path in (ROOT / "configs").iterdir()}
    samples = [p for p in (ROOT / "samples").rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc", ".md")]
    kept = {**weights, **presets, **{path.relative_to(ROOT).as_posix(): path for path in samples}}
    assert {"demo-rtdetr.safetensors", "demo-rtdetr.md", "demo-yolo.safetensors", "demo-yolo.md"} <= set(kept)
    assert {"samples/street.mp4", "samples/street/voc/noon.xml", "samples/trouble/text.jpg"} <= set(kept)
    assert held.keys() == kept.keys()
    assert [name for name, content in held.items() if content != kept[name].read_bytes()] == []
    assert wheel.stat().st_size < 20_000_000


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Path:
    """A folder that holds what the wheel installs."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    return tmp_path / "installed"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """An empty folder."""
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


def test_the_wheel_detects_with_what_it_holds(installed: Path, elsewhere: Path) -> None:
    """An embedded model, a shipped picture and a shipped preset, far from a checkout."""
    code = """
from detectattn.cli.app import run
from detectattn.shipped import shipped_dir
picture = shipped_dir("samples") / "street" / "images" / "noon.jpg"
assert run(["predict", str(picture), "-m", "demo-rtdetr", "-c", "predict-quality", "--engine", "torch"]) == 0
"""
    assert "torch" in _imported_by(code, path=installed, cwd=elsewhere)
    run = json.loads((elsewhere / "runs/predict-001/run.json").read_text())
    assert run["models"][0]["weights"]["path"] == str(installed / "detectattn/assets/demo-rtdetr.safetensors")
    assert run["config"]["sources"] == [str(installed / "detectattn/assets/samples/street/images/noon.jpg")]
    assert run["counts"]["detections"] > 0
    assert (elsewhere / "runs/predict-001/images/noon.jpg").is_file()


def test_the_wheel_works_elsewhere(installed: Path, elsewhere: Path) -> None:
    code = f"""
import detectattn
assert detectattn.__file__.startswith({str(installed)!r}), detectattn.__file__
from detectattn.cli.app import run
assert run(["models", "list"]) == 0
"""
    assert "torch" not in _imported_by(code, path=installed, cwd=elsewhere)
    assert list(elsewhere.iterdir()) == []
