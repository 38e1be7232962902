from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own; returns where weights go in it."""
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


@pytest.fixture
def mirror(http_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The local server in place of the official download address."""
    monkeypatch.setenv("DETECTATTN_WEIGHTS_URL", f"{http_server.url}/mirror/")
    return http_server
