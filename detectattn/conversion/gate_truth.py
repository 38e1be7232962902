"""Ground truth of the pictures that a converted model is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from detectattn.conversion.gate import GateTruth
from detectattn.conversion.pictures import PictureSample
from detectattn.errors import BrokenTruth
from detectattn.evaluation.find_truth import find_truth, load_truth
from detectattn.evaluation.place_truth import place_truth


def read_gate_truth(named: Path, sample: PictureSample, roots: Sequence[Path]) -> GateTruth:
    """The ground truth that a person named, for the pictures of a sample, which are read once for their sizes.

    Args:
        named: COCO JSON, YOLO's ``data.yaml``, or a folder of labels.
        sample: The pictures.
        roots: What the pictures come from, for matching names.

    Raises:
        BrokenTruth: It holds no ground truth.
        TruthMismatch: Not one of the pictures is in it.
        AmbiguousTruth: Names do not tell pictures apart.
    """
    location = find_truth(roots, named)
    if location is None:
        raise BrokenTruth(f"{named} holds no ground truth", hint="Name a COCO .json, a data.yaml or a folder of labels")
    frames = {(frame.source, frame.index): frame.size_hw for frame in sample.iter_frames()}
    return GateTruth(place_truth(load_truth(location), frames, roots), tuple(frames))
