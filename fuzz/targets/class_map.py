"""The file of ``--class-map``, applied to a small ground truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from detectattn.evaluation.class_map import apply_class_map, build_class_map, load_class_map
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from fuzz.contract import read_or_refuse
from fuzz.target import Target

_IMAGE = ImageTruth(
    size_hw=(100, 200),
    xyxy=np.array([[10, 20, 60, 80], [100, 0, 200, 50]], np.float32),
    class_index=np.array([0, 1], np.int32),
    crowd=np.zeros(2, np.bool_),
    ignored=np.zeros(2, np.bool_),
    area=np.full(2, 3000.0),
)
_TRUTH = GroundTruth(("cat", "dog", "7"), {("bus.jpg", 0): _IMAGE})


def run(content: bytes, folder: Path) -> None:
    """Read the file and match classes by what it says."""
    path = folder / "classes.yaml"
    path.write_bytes(content)
    renames = read_or_refuse(load_class_map, path)
    if renames is None:
        return
    truth = read_or_refuse(apply_class_map, _TRUTH, renames)
    if truth is not None:
        read_or_refuse(build_class_map, truth, {0: "cat", 1: "hound", 2: "7"})


TARGET = Target(
    reads="the YAML file of --class-map",
    modules=("detectattn.evaluation.class_map", "detectattn.yaml_text", "detectattn.classes"),
    run=run,
)
