"""The models that come with the package and need no network."""

from __future__ import annotations

from pathlib import Path

_ASSETS = Path(__file__).resolve().parent.parent / "assets"
EMBEDDED_LICENSE = "AGPL-3.0-or-later"


def embedded_names() -> list[str]:
    """The names of the embedded models, sorted; none where the package has none."""
    return sorted(path.stem for path in _ASSETS.glob("*.safetensors"))


def embedded_path(name: str) -> Path | None:
    """The weights of an embedded model, or None where there is none of that name."""
    return _ASSETS / f"{name}.safetensors" if name in embedded_names() else None
