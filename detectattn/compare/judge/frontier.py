"""Time against what is got for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from detectattn.compare.judge.single_label import keep_best_label
from detectattn.compare.judge.study_records import StudyRecords
from detectattn.evaluation.agreement import compute_agreement
from detectattn.report.content import Frontier, FrontierPoint, ModelReport


def build_frontier(
    records: StudyRecords, models: Sequence[ModelReport], scores: Mapping[str, float]
) -> Frontier | None:
    """Time against accuracy; without ground truth, against agreement with the first model.

    Args:
        records: The study.
        models: What is known of each.
        scores: Operating point of each, for agreement.

    Returns:
        None for fewer than two that were timed and have a figure.
    """
    timed = [m for m in models if m.speed is not None and m.status == "finished"]
    reference = None
    if records.truth is not None:
        gains = {
            m.name: m.judgement.accuracy.ap50_95
            for m in timed
            if m.judgement is not None and m.judgement.accuracy.ap50_95 is not None
        }
    else:
        reference = next((m.name for m in timed if m.base == m.name), None)
        gains = {} if reference is None else _agree_with(reference, [m.name for m in timed], records, scores)
    points = sorted(
        (_to_point(m, gain) for m in timed if (gain := gains.get(m.name)) is not None), key=lambda p: p.p50_ms
    )
    if len(points) < 2:
        return None
    marked = tuple(_mark(point, points) for point in points)
    return Frontier("ap50_95" if reference is None else "agreement", reference, marked)


def _agree_with(
    reference: str, names: Sequence[str], records: StudyRecords, scores: Mapping[str, float]
) -> dict[str, float]:
    """F1 of each model against the reference; that of the reference itself is 1."""
    found = {reference: 1.0}
    for name in names:
        if name != reference:
            both = {n: [keep_best_label(p) for p in records.predictions[n]] for n in (reference, name)}
            agreement = compute_agreement(both, {n: scores[n] for n in both}).pairs[0].agreement
            if agreement == agreement:  # NaN where neither finds anything
                found[name] = agreement
    return found


def _to_point(model: ModelReport, gain: float) -> FrontierPoint:
    assert model.speed is not None
    assert model.memory is not None
    return FrontierPoint(
        name=model.name,
        base=model.base,
        variant=model.variant,
        p50_ms=model.speed.figures.p50_ms,
        peak_mb=model.memory.peak_device_mb or model.memory.peak_rss_mb,
        gain=gain,
        pareto=False,
    )


def _mark(point: FrontierPoint, points: Sequence[FrontierPoint]) -> FrontierPoint:
    return replace(point, pareto=not any(_dominates(other, point) for other in points))


def _dominates(other: FrontierPoint, point: FrontierPoint) -> bool:
    """Whether ``other`` is nowhere worse and somewhere better."""
    no_worse = other.p50_ms <= point.p50_ms and other.gain >= point.gain
    return no_worse and (other.p50_ms < point.p50_ms or other.gain > point.gain)
