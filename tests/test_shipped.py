"""Samples and presets are found in an installation and in a checkout, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from detectattn import shipped
from detectattn.errors import SourceNotFound
from detectattn.shipped import shipped_dir

Name = Literal["samples", "configs"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the package's own."""
    folder = tmp_path / "detectattn"
    folder.mkdir()
    monkeypatch.setattr(shipped, "_PACKAGE", folder)
    return folder


def test_a_checkout_has_both() -> None:
    assert (shipped_dir("samples") / "street/images/noon.jpg").is_file()
    assert (shipped_dir("configs") / "predict-fast.yaml").is_file()


@pytest.mark.parametrize("name", ["samples", "configs"])
def test_inside_the_package_comes_before_beside_it(package: Path, name: Name) -> None:
    beside = package.parent / name
    beside.mkdir()
    (package.parent / "pyproject.toml").touch()
    assert shipped_dir(name) == beside
    (package / "assets" / name).mkdir(parents=True)
    assert shipped_dir(name) == package / "assets" / name


def test_a_stranger_s_folder_beside_the_package_is_not_taken(package: Path) -> None:
    (package.parent / "samples").mkdir()
    with pytest.raises(SourceNotFound, match=r"lacks the samples.*Install the package again"):
        shipped_dir("samples")
