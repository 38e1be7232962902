"""Fixtures that many test folders share."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of development data beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "SOURCES.md").is_file():
        pytest.skip("development data (../shared) is not present")
    return folder


@pytest.fixture(scope="session")
def ultralytics_assets() -> Path:
    """The folder with ``bus.jpg`` and ``zidane.jpg`` inside the installed ultralytics package; imports nothing."""
    spec = find_spec("ultralytics")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "assets"
