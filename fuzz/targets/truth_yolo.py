"""Ground truth in YOLO's labels: a ``data.yaml``, a list of images and two label files."""

from __future__ import annotations

from pathlib import Path

from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth_yolo import load_yolo
from fuzz.contract import read_or_refuse, require_line
from fuzz.target import Target, write_parts

_FRAMES = {("images/bus.jpg", 0): (100, 200), ("images/tram.jpg", 0): (64, 64)}
_FILES = ("data.yaml", "labels/bus.txt", "train.txt", "labels/tram.txt")


def run(content: bytes, folder: Path) -> None:
    """Read by the ``data.yaml`` and by the folder of labels."""
    write_parts(content, folder, _FILES)
    for path in (folder / "data.yaml", folder / "labels"):
        truth = read_or_refuse(load_yolo, path)
        if truth is not None:
            placed = read_or_refuse(place_truth, truth, _FRAMES)
            for note in placed.notes if placed else ():
                require_line(note)


TARGET = Target(
    reads="ground truth in YOLO's labels with their data.yaml and lists of images",
    modules=("detectattn.evaluation", "detectattn.yaml_text"),
    run=run,
)
