"""Ground truth in Pascal VOC's XML."""

from __future__ import annotations

from pathlib import Path

from detectattn.evaluation.truth_voc import load_voc
from fuzz.target import Target, write_parts
from fuzz.truth import read_and_place

_FRAMES = {("bus.jpg", 0): (100, 200), ("clip.mp4", 3): (64, 64)}


def run(content: bytes, folder: Path) -> None:
    """Read a folder of two files and place what they say."""
    write_parts(content, folder, ("Annotations/bus.xml", "Annotations/clip.xml"))
    read_and_place(load_voc, folder, (_FRAMES, None))


TARGET = Target(
    reads="ground truth in Pascal VOC's XML",
    modules=("detectattn.evaluation", "xml.etree"),
    run=run,
)
