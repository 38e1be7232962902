"""Ground truth in Pascal VOC's XML."""

from __future__ import annotations

from pathlib import Path

from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth_voc import load_voc
from fuzz.contract import read_or_refuse, require_line
from fuzz.target import Target, write_parts

_FRAMES = {("bus.jpg", 0): (100, 200), ("clip.mp4", 3): (64, 64)}


def run(content: bytes, folder: Path) -> None:
    """Read a folder of two files and place what they say."""
    write_parts(content, folder, ("Annotations/bus.xml", "Annotations/clip.xml"))
    truth = read_or_refuse(load_voc, folder)
    if truth is None:
        return
    for frames in (_FRAMES, None):
        placed = read_or_refuse(place_truth, truth, frames)
        for note in placed.notes if placed else ():
            require_line(note)


TARGET = Target(
    reads="ground truth in Pascal VOC's XML",
    modules=("detectattn.evaluation", "xml.etree"),
    run=run,
)
