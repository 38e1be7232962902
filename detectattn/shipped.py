"""The samples and presets that come with the project: inside the package once installed, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from detectattn.errors import SourceNotFound

_PACKAGE = Path(__file__).resolve().parent


def shipped_dir(name: Literal["samples", "configs"]) -> Path:
    """The folder of the samples or of the presets.

    Raises:
        SourceNotFound: The installation lacks it.
    """
    inside, beside = _PACKAGE / "assets" / name, _PACKAGE.parent / name
    if inside.is_dir():
        return inside
    # Without a checkout's pyproject.toml, a folder of that name is somebody else's.
    if beside.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return beside
    raise SourceNotFound(
        f"this installation lacks the {name} that detectattn ships: there is no {inside}",
        hint="Install the package again, or run it from a clone of the project",
    )
