"""Ground truth in YOLO's labels: a ``data.yaml``, a list of images and two label files."""

from __future__ import annotations

from pathlib import Path

from detectattn.evaluation.truth_yolo import load_yolo
from fuzz.target import Target, write_parts
from fuzz.truth import read_and_place

_FRAMES = {("images/bus.jpg", 0): (100, 200), ("images/tram.jpg", 0): (64, 64)}
_FILES = ("data.yaml", "labels/bus.txt", "train.txt", "labels/tram.txt")


def run(content: bytes, folder: Path) -> None:
    """Read by the ``data.yaml`` and by the folder of labels."""
    write_parts(content, folder, _FILES)
    for path in (folder / "data.yaml", folder / "labels"):
        read_and_place(load_yolo, path, (_FRAMES,))


TARGET = Target(
    reads="ground truth in YOLO's labels with their data.yaml and lists of images",
    modules=("detectattn.evaluation", "detectattn.yaml_text"),
    run=run,
)
