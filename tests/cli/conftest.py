"""Running the command line in this process, and in one of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli.app import run


@dataclass(frozen=True)
class Outcome:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)["data"]


@pytest.fixture
def detectattn(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs one command line in this process, in an empty working directory: ``detectattn("predict", ...)``."""
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))

    def call(*words: object) -> Outcome:
        capfd.readouterr()
        arguments = [str(word) for word in words]
        monkeypatch.setattr(sys, "argv", ["detectattn", *arguments])
        code = run(arguments)
        out, err = capfd.readouterr()
        assert "Traceback" not in err + out
        return Outcome(code, out, err)

    return call


@pytest.fixture
def two_pictures(street_images: Path, tmp_path: Path) -> Path:
    """A folder with ``noon.jpg`` and ``yellow-bus.jpg``, street scenes full of objects."""
    folder = tmp_path / "two"
    folder.mkdir()
    for name in ("noon.jpg", "yellow-bus.jpg"):
        shutil.copyfile(street_images / name, folder / name)
    return folder


@pytest.fixture
def spawn(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs one command line in a process of its own, in an empty directory with an empty home."""

    def call(*words: object, cwd: Path | None = None, env: dict[str, str] | None = None, **options: Any) -> Any:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DETECTATTN", "YOLO", "XDG", "MPL", "HOME"))}
        command = [sys.executable, "-m", "detectattn", *(str(word) for word in words)]
        return subprocess.run(
            command,
            cwd=cwd or tmp_path,
            env={**clean, "HOME": str(home), **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **options,
        )

    return call
