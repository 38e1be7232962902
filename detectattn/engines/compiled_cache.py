"""Where OpenVINO keeps models that it has compiled, so that the next process starts sooner."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from detectattn.types import WeightsFile
from detectattn.weights.cache import cache_dir

_MOST_BYTES = 2 << 30
_SHA256_DIGITS = 64


def open_compiled_cache(weights: WeightsFile) -> Path | None:
    """A folder for what is compiled of these weights, made if need be; None where there can be none.

    A folder belongs to one set of bytes, so nothing stale is ever found in it; settings, shapes and versions within it
    OpenVINO tells apart itself, and what is damaged it compiles anew. The folders that were not used for longest go
    when all together pass two gibibytes.
    """
    if len(weights.sha256) != _SHA256_DIGITS:
        return None  # weights that nobody has looked at share no folder
    base = cache_dir() / "compiled"
    folder = base / weights.sha256[:16]
    try:
        if not folder.is_dir():
            _make_room(base)
            folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
    except OSError:
        return None  # a cache that cannot be written costs time and nothing else
    return folder if os.access(folder, os.W_OK) else None


def _make_room(base: Path) -> None:
    if not base.is_dir():
        return
    folders = sorted((path for path in base.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    sizes = {path: sum(file.stat().st_size for file in path.iterdir()) for path in folders}
    for path in folders:
        if sum(sizes.values()) <= _MOST_BYTES:
            return
        shutil.rmtree(path, ignore_errors=True)
        del sizes[path]
