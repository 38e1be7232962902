"""Where downloaded weights and library settings are kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from detectattn.errors import ConfigError
from detectattn.user_paths import expand_home


def cache_dir() -> Path:
    """The project's cache folder: ``DETECTATTN_CACHE`` if set, else the user's cache directory. Not created.

    Raises:
        ConfigError: It would lie in the home folder, and nobody knows where that is.
    """
    override = os.environ.get("DETECTATTN_CACHE")
    try:
        place = expand_home(override) if override else Path(platformdirs.user_cache_dir("detectattn"))
    except RuntimeError:
        place = Path("~")
    if place.parts[:1] == ("~",):  # what older versions of platformdirs give
        raise ConfigError(
            "there is no folder for the cache: HOME is not set, and this user is not known here",
            hint="Set DETECTATTN_CACHE to a folder",
        )
    return place


def weights_dir() -> Path:
    """The folder of downloaded weights inside the cache. Not created."""
    return cache_dir() / "weights"
