"""Where downloaded weights and library settings are kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """The project's cache folder: ``DETECTATTN_CACHE`` if set, else the user's cache directory. Not created."""
    override = os.environ.get("DETECTATTN_CACHE")
    return Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("detectattn"))


def weights_dir() -> Path:
    """The folder of downloaded weights inside the cache. Not created."""
    return cache_dir() / "weights"
