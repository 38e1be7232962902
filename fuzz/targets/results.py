"""Predictions made elsewhere: COCO results with an ``images.json`` beside them or without."""

from __future__ import annotations

from pathlib import Path

from detectattn.evaluation.foreign import load_foreign
from detectattn.evaluation.truth import CocoIndex
from fuzz.contract import read_or_refuse, require_line
from fuzz.target import Target, write_parts

_FRAMES = {("street/bus.jpg", 0): (100, 200), ("clip.mp4", 3): (64, 64)}


def run(content: bytes, folder: Path) -> None:
    """Read with every way of telling what the numbers mean."""
    write_parts(content, folder, ("results.json", "images.json", "results.jsonl"))
    index = CocoIndex(folder / "truth.json", {"7": ("street/bus.jpg", 0, (100, 200))}, {"3": "cat", "1": "dog"})
    for name in ("results.json", "results.jsonl"):
        for own_index, frames in ((None, _FRAMES), (index, _FRAMES), (index, None)):
            found = read_or_refuse(load_foreign, folder / name, "theirs", own_index, frames)
            for note in found.notes if found else ():
                require_line(note)


TARGET = Target(
    reads="predictions made elsewhere: COCO results and records",
    modules=("detectattn.evaluation", "detectattn.records"),
    run=run,
    is_json=True,
)
