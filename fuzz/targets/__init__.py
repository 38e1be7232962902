"""The targets by name, the most exposed readers first. A target is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

from fuzz.target import Target

NAMES = (
    "truth_coco",
    "truth_yolo",
    "truth_voc",
    "records",
    "presets",
    "source_list",
    "picture_headers",
    "results",
    "run_folder",
    "report_json",
    "class_map",
    "redirects",
    "model_metadata",
)


def load_target(name: str) -> Target:
    """The target of a name."""
    target: Target = import_module(f"fuzz.targets.{name}").TARGET
    return target
