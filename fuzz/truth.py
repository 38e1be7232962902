"""What is asked of ground truth in any format: it is read and placed on pictures, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth import FrameKey, TruthFile
from fuzz.contract import read_or_refuse, require_line

Pictures = Mapping[FrameKey, tuple[int, int]]


def read_and_place(load: Callable[[Path], TruthFile], path: Path, pictures: Sequence[Pictures | None]) -> None:
    """Read ground truth, and place what it says.

    Args:
        load: Reads its format.
        path: Where it lies.
        pictures: Height and width of pictures by their keys; None for those that it names itself. Each is tried.
    """
    truth = read_or_refuse(load, path)
    if truth is None:
        return
    for frames in pictures:
        placed = read_or_refuse(place_truth, truth, frames)
        for note in placed.notes if placed else ():
            require_line(note)
