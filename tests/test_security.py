"""SECURITY.md is true: its tests exist, and promises that no other test keeps are kept here."""

from __future__ import annotations

import ast
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from detectattn.cli.app import run
from detectattn.yaml_text import BrokenYaml, parse_yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "SECURITY.md").read_text()
PROMISES = PAGE[PAGE.index("## What is promised") : PAGE.index("## What is not promised")]


def list_tests(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    "text", [PROMISES, (ROOT / "docs/reliability.md").read_text()], ids=["SECURITY", "reliability"]
)
def test_every_test_that_is_named_exists(text: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) == text.count("::")
    assert [f"{file}::{name}" for file, name in named if name not in list_tests(ROOT / file)] == []


def test_every_promise_names_a_test() -> None:
    promises = re.split(r"^(?=- \*\*|#)", PROMISES, flags=re.MULTILINE)
    assert [text for text in promises if text.startswith("- **") and "::" not in text] == []


def test_links_lead_somewhere() -> None:
    assert [link for link in re.findall(r"\]\(([^)]+)\)", PAGE) if not (ROOT / link).exists()] == []


class Evil:
    """Unpickling it makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize(
    "command",
    [
        ["predict", "PICTURE", "-m"],
        ["compare", "PICTURE", "--rounds", "0", "-m"],
        ["explain", "PICTURE", "-m"],
        ["inspect"],
    ],
    ids=lambda words: words[0],
)
def test_no_command_runs_what_a_checkpoint_holds(
    command: list[str],
    noon: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    torch.save({"model": Evil(tmp_path / "made")}, tmp_path / "evil.pt")
    words = [str(noon) if word == "PICTURE" else word for word in command]
    assert run([*words, "evil.pt"]) != 0
    assert "mkdir" in capfd.readouterr().err
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "tag", ["python/object/apply:os.mkdir", "python/object/new:os.mkdir", "python/name:os.mkdir", "python/module:os"]
)
def test_no_yaml_runs_what_it_holds(
    tag: str, noon: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"conf: !!{tag} [{tmp_path / 'made'}]\n"
    with pytest.raises(BrokenYaml):
        parse_yaml(text)
    Path("preset.yaml").write_text(text)
    assert run(["predict", str(noon), "-m", "demo-yolo", "-c", "preset.yaml"]) == 2
    assert "preset.yaml" in capfd.readouterr().err
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("inside", [False, True], ids=["named", "in a folder"])
def test_archives_are_not_opened(
    inside: bool, noon: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    with zipfile.ZipFile("in/pictures.zip", "w") as archive:
        archive.write(noon, "noon.jpg")
    code = run(["predict", "in" if inside else "in/pictures.zip", "-m", "demo-yolo", "-o", "out"])
    assert code != 0
    assert "noon.jpg" not in capfd.readouterr().out
    assert not list(tmp_path.rglob("noon.jpg"))
