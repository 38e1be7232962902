"""Puts the report together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from detectattn.compare.judge.accuracy import (
    MatchedStudy,
    OperatingScore,
    choose_score,
    compare_pairs,
    find_floors,
    judge_model,
    match_study,
)
from detectattn.compare.judge.agreement import agree, list_disputed, to_agreement_report
from detectattn.compare.judge.caveats import find_caveats
from detectattn.compare.judge.conversion import judge_conversion
from detectattn.compare.judge.frontier import build_frontier
from detectattn.compare.judge.score_floor import ScoreFloor
from detectattn.compare.judge.sentences import tell_verdict
from detectattn.compare.judge.single_label import keep_best_label
from detectattn.compare.judge.speed import compare_times, judge_energy, judge_memory, judge_size, judge_speed
from detectattn.compare.judge.study_records import StudyRecords
from detectattn.compare.rules import ACCURACY_CONF, ACCURACY_IOU, ACCURACY_MAX_DET
from detectattn.evaluation.agreement import Agreement
from detectattn.evaluation.bootstrap import RESAMPLES
from detectattn.report.content import Conditions, ModelReport, Report, TruthNote


def build_report(records: StudyRecords) -> tuple[Report, Agreement | None]:
    """The report of a study, without gates; and where the models agree, picture by picture.

    Raises:
        TruthMismatch: A model has no class in common with the ground truth.
    """
    matched = match_study(records)
    scores = {name: choose_score(name, records, matched) for name in records.measured}
    floors = find_floors(records)
    models = tuple(_report_model(name, records, matched, scores[name], floors.get(name)) for name in records.measured)
    least = {name: score.score for name, score in scores.items()}
    agreement = agree(records, least)
    summary = None if agreement is None else to_agreement_report(agreement)
    differences = () if matched is None else compare_pairs(records, matched)
    ratios = compare_times(records)
    report = Report(
        created=records.created,
        status="finished" if all(m.status != "timed" for m in records.measured.values()) else "interrupted",
        verdict=tell_verdict(models, differences, ratios, summary, records.config.budget),
        caveats=find_caveats(records, models, agreement),
        conditions=_tell_conditions(records, models),
        models=models,
        differences=differences,
        ratios=ratios,
        agreement=summary,
        disputed=() if agreement is None else list_disputed(agreement, records.drawn),
        frontier=build_frontier(records, models, least),
        gates=(),
        command=tuple(records.manifest.command),
        versions=records.manifest.versions,
        machine=records.manifest.machine,
    )
    return report, agreement


def _report_model(
    name: str, records: StudyRecords, matched: MatchedStudy | None, score: OperatingScore, floor: ScoreFloor | None
) -> ModelReport:
    measured = records.measured[name]
    info = measured.info
    judged = matched is not None and name in records.predictions
    return ModelReport(
        name=name,
        kind=measured.kind,
        base=measured.base,
        variant=measured.variant,
        status="finished" if measured.status == "finished" else "failed",
        error=measured.error if measured.status != "timed" else "the study was interrupted before it was through",
        family=None if info is None else info.family,
        engine=None if info is None else info.engine,
        device=None if info is None else info.device,
        precision=None if info is None else info.precision,
        net_hw=None if info is None else info.net_hw,
        net_pixels=measured.net_pixels,
        file=measured.file,
        sha256=measured.sha256,
        conf=score.score,
        conf_reason=score.reason,
        detections=_count_detections(records, name, score.score),
        speed=judge_speed(measured),
        memory=judge_memory(measured),
        size=judge_size(measured),
        energy=judge_energy(measured),
        judgement=judge_model(name, records, matched, score.score) if judged and matched is not None else None,
        conversion=judge_conversion(measured),
        scores_from=None if floor is None else floor.score,
    )


def _count_detections(records: StudyRecords, name: str, score: float) -> int:
    found = records.predictions.get(name, ())
    kept = (keep_best_label(p).detections.score >= np.float32(score) for p in found)
    return sum(int(np.count_nonzero(rows)) for rows in kept)


def _tell_conditions(records: StudyRecords, models: tuple[ModelReport, ...]) -> Conditions:
    timed = next((m.timed for m in records.measured.values() if m.timed is not None), None)
    pixels = {m.net_pixels for m in models if m.base == m.name and m.net_pixels is not None}
    by_area = sorted((p.size_hw for p in records.pictures), key=lambda hw: hw[0] * hw[1])
    return Conditions(
        sources=records.sources,
        images=len(records.pictures),
        image_failures=len(records.failures),
        median_size_hw=by_area[len(by_area) // 2] if by_area else None,
        matched_pixels=len(pixels) <= 1,
        rounds=None if timed is None else len(timed.rounds),
        sittings=None if timed is None else len(timed.sittings),
        pictures_a_round=None if timed is None else len(timed.decode_ms),
        conf=records.config.conf,
        iou=ACCURACY_IOU,
        accuracy_conf=ACCURACY_CONF,
        max_det=ACCURACY_MAX_DET,
        seed=records.config.seed,
        resamples=RESAMPLES,
        truth=_note_truth(records),
    )


def _note_truth(records: StudyRecords) -> TruthNote | None:
    truth = records.truth
    if truth is None:
        return None
    objects: Mapping[str, int] = dict(zip(truth.class_names, truth.count_objects().sum(axis=0).tolist(), strict=True))
    return TruthNote(
        path=str(truth.path),
        format=str(truth.format),
        named=records.truth_named,
        images=len(truth.images),
        objects=sum(objects.values()),
        classes=tuple(name for name, count in objects.items() if count),
        notes=truth.notes,
    )
