"""Ground truth in COCO's JSON, read and placed on pictures."""

from __future__ import annotations

from pathlib import Path

from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth_coco import load_coco
from fuzz.contract import read_or_refuse, require_line
from fuzz.target import Target

_FRAMES = {("street/bus.jpg", 0): (100, 200), ("clip.mp4", 3): (64, 64)}


def run(content: bytes, folder: Path) -> None:
    """Read a file and place what it says."""
    path = folder / "instances.json"
    path.write_bytes(content)
    truth = read_or_refuse(load_coco, path)
    if truth is None:
        return
    for frames in (_FRAMES, None):
        placed = read_or_refuse(place_truth, truth, frames)
        for note in placed.notes if placed else ():
            require_line(note)


TARGET = Target(
    reads="ground truth in COCO's JSON",
    modules=("detectattn.evaluation",),
    run=run,
    is_json=True,
)
