"""What ground truth says of each model, and of each pair."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from detectattn.compare.judge.score_floor import ScoreFloor, cut_alike, find_floor, is_lopsided
from detectattn.compare.judge.study_records import StudyRecords
from detectattn.evaluation.align import AlignedDetections, align_predictions
from detectattn.evaluation.average_precision import mean_ap
from detectattn.evaluation.bootstrap import RESAMPLES, ResampledAp, compare_accuracy, compare_resampled, resample_ap
from detectattn.evaluation.calibration import compute_calibration
from detectattn.evaluation.class_map import build_class_map
from detectattn.evaluation.coco_metrics import compute_accuracy_of
from detectattn.evaluation.curves import (
    compute_confusion,
    compute_operating_point,
    compute_precision_recall,
    find_best_f1,
    find_equal_precision,
)
from detectattn.evaluation.error_breakdown import compute_errors_of
from detectattn.evaluation.intervals import compute_expanded_interval
from detectattn.evaluation.match_table import match_detections
from detectattn.evaluation.truth import GroundTruth
from detectattn.report.content import Difference, Judgement
from detectattn.results import MatchTable, OperatingPoint

DEFAULT_CONF = 0.25


@dataclass(frozen=True, slots=True)
class OperatingScore:
    """From which score on a model's detections count in pictures, counts and agreement, and why."""

    score: float
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class MatchedStudy:
    """Every model's detections set beside the ground truth, once for all figures.

    Attributes:
        truth: The ground truth.
        aligned: By model.
        tables: By model.
        resampled: By model, all alike.
        best_f1: By model.
        equal_precision: By model.
        precision: What those have in common.
    """

    truth: GroundTruth
    aligned: Mapping[str, AlignedDetections]
    tables: Mapping[str, MatchTable]
    resampled: Mapping[str, ResampledAp]
    best_f1: Mapping[str, OperatingPoint | None]
    equal_precision: Mapping[str, OperatingPoint | None]
    precision: float | None


def match_study(records: StudyRecords) -> MatchedStudy | None:
    """Set all models beside the ground truth; None where there is none, or it shows nothing."""
    truth = records.truth
    if truth is None or not records.predictions:
        return None
    aligned = {name: align_predictions(truth, found) for name, found in records.predictions.items()}
    tables = {name: match_detections(truth, rows) for name, rows in aligned.items()}
    bases = {name: tables[name] for name in records.finished_bases}
    precision, equal = find_equal_precision(bases)
    if precision is not None:
        _, equal = find_equal_precision(tables, precision)
    return MatchedStudy(
        truth=truth,
        aligned=aligned,
        tables=tables,
        resampled={name: resample_ap(table, RESAMPLES, records.config.seed) for name, table in tables.items()},
        best_f1={name: find_best_f1(table) for name, table in tables.items()},
        equal_precision=equal,
        precision=precision,
    )


def choose_score(name: str, records: StudyRecords, matched: MatchedStudy | None) -> OperatingScore:
    """The operating point of a model: what the user asked for, or its best F1, or the usual 0.25."""
    if records.config.conf is not None:
        return OperatingScore(records.config.conf, "asked for with --conf")
    if matched is not None and (best := matched.best_f1.get(name)) is not None:
        return OperatingScore(best.score, "its best F1 on these images")
    return OperatingScore(DEFAULT_CONF, "the default; without ground truth no better one is known")


def judge_model(name: str, records: StudyRecords, matched: MatchedStudy, score: float) -> Judgement:
    """Every figure of one model.

    Args:
        name: Of the model.
        records: The study.
        matched: The study, set beside the ground truth.
        score: The model's operating point.

    Raises:
        TruthMismatch: It has no class in common with the ground truth.
    """
    truth, aligned, table = matched.truth, matched.aligned[name], matched.tables[name]
    classes = build_class_map(truth, records.measured[name].class_names, name)
    low, high = _find_interval(matched.resampled[name])
    return Judgement(
        accuracy=compute_accuracy_of(truth, aligned),
        ap50_95_low=low,
        ap50_95_high=high,
        best_f1=matched.best_f1[name],
        equal_precision=matched.equal_precision.get(name),
        precision=matched.precision,
        at_conf=compute_operating_point(table, score),
        precision_recall=compute_precision_recall(table),
        confusion=compute_confusion(truth, aligned, score),
        errors=compute_errors_of(truth, aligned),
        calibration=compute_calibration(table),
        only_truth=tuple(map(str, classes.only_truth)),
        only_model=tuple(map(str, classes.only_model)),
    )


def _find_interval(resampled: ResampledAp) -> tuple[float | None, float | None]:
    """The 95% interval of AP over images."""
    figure = float(mean_ap(resampled.full))
    interval = compute_expanded_interval(
        mean_ap(resampled.samples), mean_ap(resampled.leave_out), resampled.images
    ).reaching(figure)
    known = math.isfinite(interval.low) and math.isfinite(figure)
    return (max(0.0, interval.low), min(1.0, interval.high)) if known else (None, None)


def compare_pairs(records: StudyRecords, matched: MatchedStudy) -> tuple[Difference, ...]:
    """Differences in AP, AP50 and AP of each class: of every two models, and of every variant from its model.

    Two whose records begin at unlike scores are compared from the higher one on. Where that cannot be, nothing is
    decided unless the one that is cut short is ahead even so: what it lacks could only raise it.
    """
    floors = find_floors(records)
    return tuple(
        difference for a, b in iter_pairs(records) for difference in _compare_pair(a, b, records, matched, floors)
    )


def _compare_pair(
    a: str, b: str, records: StudyRecords, matched: MatchedStudy, floors: Mapping[str, ScoreFloor]
) -> Iterator[Difference]:
    first, second, min_score = cut_alike((floors[a], records.predictions[a]), (floors[b], records.predictions[b]))
    if min_score is None:
        compared = compare_resampled(matched.resampled[a], matched.resampled[b])
    else:
        tables = [match_detections(matched.truth, align_predictions(matched.truth, found)) for found in (first, second)]
        compared = compare_accuracy(tables[0], tables[1], RESAMPLES, records.config.seed)
    lopsided = is_lopsided(floors[a], floors[b])
    ahead = 1 if floors[a].score > floors[b].score else -1
    for figures in (compared.ap50_95, compared.ap50, *compared.per_class):
        if lopsided and figures.difference * ahead <= 0:
            figures = replace(figures, decided=False, standard_error=math.nan, images_to_decide=None)
        yield Difference(a, b, figures, min_score)


def find_floors(records: StudyRecords) -> Mapping[str, ScoreFloor]:
    """From which score on the records of each that finished hold its detections."""
    return {name: find_floor(records.measured[name], found) for name, found in records.predictions.items()}


def iter_pairs(records: StudyRecords) -> Iterator[tuple[str, str]]:
    """Every two models that finished, then every variant beside the model that it is one of."""
    yield from combinations(records.finished_bases, 2)
    finished: Sequence[str] = records.finished
    for name in finished:
        base = records.measured[name].base
        if base != name and base in finished:
            yield base, name
