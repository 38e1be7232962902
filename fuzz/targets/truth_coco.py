"""Ground truth in COCO's JSON, read and placed on pictures."""

from __future__ import annotations

from pathlib import Path

from detectattn.evaluation.truth_coco import load_coco
from fuzz.target import Target
from fuzz.truth import read_and_place

_FRAMES = {("street/bus.jpg", 0): (100, 200), ("clip.mp4", 3): (64, 64)}


def run(content: bytes, folder: Path) -> None:
    """Read a file and place what it says."""
    path = folder / "instances.json"
    path.write_bytes(content)
    read_and_place(load_coco, path, (_FRAMES, None))


TARGET = Target(
    reads="ground truth in COCO's JSON",
    modules=("detectattn.evaluation",),
    run=run,
    is_json=True,
)
