"""Where weights are kept, what lies there, and how much room is left. Looks only; makes no file to try."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from detectattn.doctor.report import Check
from detectattn.fetch import format_bytes

_WEIGHTS_SUFFIXES = frozenset({".pt", ".onnx", ".engine"})
# The largest official weights are about 140 MB; an export needs several times its model.
_ROOM_TIGHT_BYTES = 2 * 2**30
_SHOWN = 6


def check_storage(cache: Path, weights: Path, embedded: Sequence[str], working: Path) -> list[Check]:
    """The cache folder, the models that need no download, and the room for run folders.

    Args:
        cache: The project's cache folder, which need not exist.
        weights: The folder in it that holds downloaded weights.
        embedded: Names of the models that come with the package.
        working: The folder in which ``runs/`` is made.
    """
    return [_check_cache(cache), _check_models(weights, embedded), _check_runs(working)]


def _check_cache(cache: Path) -> Check:
    place = find_existing(cache)
    if not _is_writable(place):
        hint = "Set DETECTATTN_CACHE to a folder that you may write to"
        return Check("Cache", "warn", f"{cache} cannot be written to, so nothing can be downloaded", hint)
    used = f"{format_bytes(_count_bytes(cache))} used" if cache.is_dir() else "not made yet"
    return _check_room("Cache", cache, place, used, "Make room, or set DETECTATTN_CACHE to a folder on another disk")


def _check_models(weights: Path, embedded: Sequence[str]) -> Check:
    names = [*embedded, *sorted(path.name for path in _iter_files(weights) if path.suffix in _WEIGHTS_SUFFIXES)]
    if not names:
        return Check("Models", "absent", "none downloaded yet", "detectattn models pull rtdetr-l")
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return Check("Models", "ok", ", ".join(names[:_SHOWN]) + more)


def _check_runs(working: Path) -> Check:
    if not _is_writable(working):
        hint = "Go to a folder that you may write to, or name one with --out"
        return Check("Runs", "warn", f"{working} cannot be written to", hint)
    return _check_room("Runs", working / "runs", working, "", "Make room, or name a folder on another disk with --out")


def _check_room(name: str, folder: Path, place: Path, note: str, hint: str) -> Check:
    free = shutil.disk_usage(place).free
    detail = ", ".join(filter(None, (str(folder), note, f"{format_bytes(free)} free")))
    return Check(name, "warn", detail, hint) if free < _ROOM_TIGHT_BYTES else Check(name, "ok", detail)


def find_existing(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _is_writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _iter_files(folder: Path) -> list[Path]:
    return [Path(at) / name for at, _, names in os.walk(folder) for name in names]


def _count_bytes(folder: Path) -> int:
    total = 0
    for path in _iter_files(folder):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # another run is finishing a download
    return total
