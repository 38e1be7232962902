"""The layers of the architecture hold, and the check that says so bites."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _lint_imports(tree: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    # The tree under test comes before the installed package, which is the same by name.
    environment = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [program, "--no-logo", "--cache-dir", str(cache)],
        cwd=tree, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("import-cache")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the package to break."""
    copy = tmp_path / "tree"
    shutil.copytree(ROOT / "detectattn", copy / "detectattn", ignore=shutil.ignore_patterns("__pycache__", "*.pt"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_the_layers_hold(cache: Path) -> None:
    checked = _lint_imports(ROOT, cache)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", checked.stdout)


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("types.py", "import detectattn.config", "Imports go downward"),
        ("sinks/base.py", "import detectattn.sources.base", "Imports go downward"),
        ("pipeline/tally.py", "import detectattn.cli.app", "Imports go downward"),
        ("weights/cache.py", "import detectattn.engines.base", "Imports go downward"),
        ("somewhere.py", "import detectattn.types", "Imports go downward"),
        ("sources/base.py", "import detectattn.weights.cache", "only engines know weights"),
        ("weights/registry.py", "import httpx", "HTTP only in fetch"),
        ("sources/base.py", "from http.client import HTTPConnection", "HTTP only in fetch"),
        ("pipeline/run.py", "import ray", "Ray only in distributed"),
        ("sources/base.py", "import fsspec", "Object storage only in storage"),
        ("sources/base.py", "import torch", "torch and Ultralytics only"),
        ("cli/app.py", "def later():\n    from ultralytics import YOLO", "torch and Ultralytics only"),
        ("engines/postprocess.py", "import torchvision", "torchvision nowhere"),
        ("records/values.py", "from rich import print", "The terminal only in cli"),
    ],
)  # fmt: skip
def test_a_forbidden_import_is_caught(file: str, line: str, contract: str, tree: Path, cache: Path) -> None:
    target = tree / "detectattn" / file
    already_there = target.read_text() if target.exists() else ""
    target.write_text(f"{already_there}\n{line}\n")
    checked = _lint_imports(tree, cache)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert contract in checked.stdout.split("Broken contracts")[1]


def test_no_module_opens_urls_past_fetch() -> None:
    # The contracts see `urllib` as a whole, and parsing an address is anyone's business.
    openers = {"urllib.request", "http.client", "ftplib", "telnetlib"}
    seen = []
    for path in (ROOT / "detectattn").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            seen.extend((path.name, name) for name in names if name in openers and "fetch" not in path.parts)
    assert seen == []
