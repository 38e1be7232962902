"""Import Ultralytics without its side effects."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from detectattn.errors import DiskFull, MissingExtra, OutdatedPackage
from detectattn.machine import TORCH_FLOOR, ULTRALYTICS_FLOOR, find_version, is_older
from detectattn.weights.cache import cache_dir

# Read by Ultralytics while it is imported: no telemetry, no pip install, no network probe, no unpickling beyond the
# allow-list.
_SWITCHES = {
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
    "ULTRALYTICS_SAFE_LOAD": "true",
}


def import_ultralytics_tasks() -> Any:
    """Import ``ultralytics.nn.tasks`` without telemetry, installs, network or settings in the home folder.

    Raises:
        OutdatedPackage: PyTorch or Ultralytics is too old to load checkpoints safely.
        DiskFull: There is no folder at all that can be written.
    """
    _require_safe_loading()
    if "ultralytics" not in sys.modules:
        folder = _make_settings_folder()
        os.environ.update(_SWITCHES)
        os.environ.setdefault("YOLO_CONFIG_DIR", str(folder))
        os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))
    threads = os.environ.get("OMP_NUM_THREADS")
    import ultralytics.nn.tasks as tasks

    if threads is None:
        # Ultralytics sets it to 1 on import; a child process of ours must not inherit that.
        os.environ.pop("OMP_NUM_THREADS", None)
    return tasks


def _make_settings_folder() -> Path:
    """Where libraries keep settings: in the cache, or, where that cannot be written, in a folder for this process."""
    folder = cache_dir() / "ultralytics"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK | os.X_OK):
        return folder
    try:
        made = tempfile.mkdtemp(prefix="detectattn-")
    except OSError as error:
        raise DiskFull(
            f"neither {folder} nor a temporary folder can be written ({error.strerror or error})",
            hint="Set DETECTATTN_CACHE or TMPDIR to a folder that you may write to",
        ) from error
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


def _require_safe_loading() -> None:
    """Below these versions a safe load silently becomes an unsafe one."""
    for package, floor in (("torch", TORCH_FLOOR), ("ultralytics", ULTRALYTICS_FLOOR)):
        version = find_version(package)
        if version is None:
            raise MissingExtra(f"a .pt file needs {package}, which is not installed", hint=f"pip install {package}")
        if is_older(version, floor):
            raise OutdatedPackage(
                f"{package} {version} is too old to load a .pt file without running what it holds",
                hint=f'Update it: pip install --upgrade "{package}>={floor}"',
            )
