"""The peer's environment: where it is, and whether it is the one that the targets are about."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

ULTRALYTICS = "8.4.190"
VARIABLE = "DETECTATTN_PEER"
_ROOT = Path(__file__).resolve().parents[2]
_NAMES = ("ultralytics", "torch", "torchvision", "openvino", "opencv-python", "numpy")
_ASK = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
try:
    import torchvision
except Exception as error:
    found["broken"] = str(error).splitlines()[0]
print(json.dumps(found))
"""
_MAKE = "`make peer` installs one into .venv-peer (about 5 GB); any other is named by --peer PATH/python or " + VARIABLE


def find_peer(named: str | None) -> Path:
    """The peer's Python: the one named, else that of the environment variable, else ``.venv-peer``.

    Raises:
        RuntimeError: There is none, with how to make one.
    """
    python = Path(named or os.environ.get(VARIABLE) or _ROOT / ".venv-peer" / "bin" / "python")
    if not os.access(python, os.X_OK) or python.is_dir():
        raise RuntimeError(f"the peer's Python is missing: {python} is no program. {_MAKE}")
    return python.absolute()


def read_versions(python: Path) -> dict[str, str]:
    """What is installed in the peer's environment.

    Raises:
        RuntimeError: It does not answer, has another Ultralytics than the targets are about, lacks a package, or cannot
            import torchvision.
    """
    answer = subprocess.run([python, "-c", _ASK, *_NAMES], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"{python} does not run: {answer.stderr.strip()[-300:]}")
    versions: dict[str, str] = json.loads(answer.stdout)
    if versions.get("ultralytics") != ULTRALYTICS:
        raise RuntimeError(
            f"{python} has ultralytics {versions.get('ultralytics', '(none)')}, and the targets are about "
            f"{ULTRALYTICS}. {_MAKE}"
        )
    if "broken" in versions:
        raise RuntimeError(
            f"{python} cannot import torchvision ({versions['broken']}), which `yolo predict` needs: its PyTorch is "
            f"another build. {_MAKE}"
        )
    if lacking := [name for name in _NAMES if name not in versions]:
        raise RuntimeError(f"{python} lacks {', '.join(lacking)}. {_MAKE}")
    return versions
