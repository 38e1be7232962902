"""Pairs a study with an earlier one, image by image, where the earlier one's records are still there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from detectattn.compare.judge import StudyRecords
from detectattn.compare.judge.score_floor import cut_alike, find_floor
from detectattn.compare.study_folder import StudyFolder
from detectattn.errors import DetectattnError
from detectattn.evaluation.align import align_predictions
from detectattn.evaluation.bootstrap import compare_accuracy
from detectattn.evaluation.match_table import match_detections
from detectattn.evaluation.truth import GroundTruth
from detectattn.results import MatchTable, PairedDifference
from detectattn.types import Prediction


def pair_with_baseline(report: str, records: StudyRecords) -> Mapping[str, PairedDifference]:
    """How much more accurate each model is now than it was then, on the same images under the ground truth of now.

    Args:
        report: Path of the earlier ``report.json``; its records lie beside it, or else nothing can be paired.
        records: The study of now.

    Returns:
        The difference in AP, now less then, by model; only models that both studies ran on all of these images. Where
        records begin at unlike scores, from the higher one on.
    """
    truth = records.truth
    if truth is None:
        return {}
    try:
        then = StudyFolder(Path(report).parent).load()
    except DetectattnError:
        return {}  # a report alone is a baseline too: its figures are compared, unpaired
    paired = {}
    for name in records.finished:
        if name not in then.predictions:
            continue
        sides = [(find_floor(side.measured[name], found := side.predictions[name]), found) for side in (records, then)]
        found_now, found_then, _ = cut_alike(*sides)
        before, now = _match(truth, found_then), _match(truth, found_now)
        if before is not None and now is not None:
            paired[name] = compare_accuracy(now, before, seed=records.config.seed).ap50_95
    return paired


def _match(truth: GroundTruth, predictions: Sequence[Prediction]) -> MatchTable | None:
    aligned = align_predictions(truth, predictions)
    return None if aligned.missing_count else match_detections(truth, aligned)
