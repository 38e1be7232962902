"""From which score on a run kept the detections that its records hold."""

from __future__ import annotations

from pathlib import Path

from detectattn.compare.measured import load_measured
from detectattn.compare.rules import ACCURACY_CONF
from detectattn.errors import DetectattnError
from detectattn.pipeline.run_folder import read_manifest

_PARTS = "predictions"


def read_run_conf(path: Path) -> float | None:
    """The least score that predictions were kept from; None where no run of this project lies around them.

    Args:
        path: A run folder, or records within one.
    """
    folder = path if path.is_dir() else path.parent
    root = folder.parent if folder.name == _PARTS else folder
    try:
        manifest = read_manifest(root)
        config = {} if manifest is None else manifest.config
        if config.get("study") == "compare":
            measured = load_measured(root / "measured" / f"{path.stem}.json")
            return ACCURACY_CONF if measured.kind == "model" else measured.scores_from
    except DetectattnError:
        return None  # predictions made elsewhere: nothing but their scores tells
    conf = config.get("conf")
    return float(conf) if isinstance(conf, int | float) else None
