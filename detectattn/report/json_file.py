"""``report.json``: every figure of a study, unrounded, under the names that the field uses.

``docs/report.md`` describes every key.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from detectattn.report.content import (
    SCHEMA,
    AgreementReport,
    Difference,
    Judgement,
    ModelReport,
    Ratio,
    Report,
    Speed,
)
from detectattn.report.plain import render_plain, to_plain
from detectattn.results import Calibration, PrecisionRecall

_SECTIONS = ("speed", "memory", "size", "energy", "accuracy")


def to_json(report: Report) -> dict[str, Any]:
    """The content of ``report.json``: plain values, keys in the documented order, nothing rounded, NaN as None."""
    return {
        "schema": SCHEMA,
        "kind": "study",
        "created": report.created,
        "status": report.status,
        "verdict": to_plain(report.verdict),
        "caveats": to_plain(report.caveats),
        "conditions": to_plain(report.conditions),
        "models": {model.name: _model(model, with_truth=_has_truth(report)) for model in report.models},
        "pairs": [*map(_ratio, report.ratios), *map(_difference, report.differences)],
        "agreement": None if report.agreement is None else _agreement(report.agreement),
        "disputed": to_plain(report.disputed),
        "frontier": to_plain(report.frontier),
        "gates": to_plain(report.gates),
        "command": to_plain(report.command),
        "versions": to_plain(report.versions),
        "machine": to_plain(report.machine),
    }


def render_json(report: Report) -> str:
    """The text of ``report.json``."""
    return render_plain(to_json(report))


def _has_truth(report: Report) -> bool:
    return report.conditions.truth is not None


def _model(model: ModelReport, *, with_truth: bool) -> dict[str, Any]:
    own: dict[str, Any] = to_plain(replace(model, judgement=None))
    del own["name"], own["judgement"]
    own["speed"] = None if model.speed is None else _speed(model.speed)
    own |= _judgement(model.judgement)
    why = {name: _tell_why(name, model, with_truth=with_truth) for name in _SECTIONS if own[name] is None}
    return {**own, "undefined": why}


def _tell_why(section: str, model: ModelReport, *, with_truth: bool) -> str:
    """Why a part of a model's figures does not exist; a clause without a full stop."""
    if section == "accuracy" and not with_truth:
        return "there is no ground truth"
    if model.status == "failed":
        return "the model failed"
    if section == "accuracy":
        return "it was not judged"
    if model.kind == "predictions":
        return "predictions from a file: no model ran"
    if section == "energy" and model.speed is not None:
        return "no meter of this machine can be read"
    return "it was not timed" if section != "size" else "the engine cannot tell"


def _speed(speed: Speed) -> dict[str, Any]:
    own: dict[str, Any] = to_plain(speed)
    figures = own.pop("figures")
    return {**_take(figures, "p50_ms"), **_take(own, "p50_low_ms", "p50_high_ms"), **figures, **own}


def _take(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: record.pop(name) for name in names}


def _judgement(judged: Judgement | None) -> dict[str, Any]:
    if judged is None:
        sections = ("accuracy", "operating_points", "precision_recall", "confusion", "errors", "calibration", "classes")
        return dict.fromkeys(sections)
    accuracy: dict[str, Any] = to_plain(judged.accuracy)
    interval = {"ap50_95_low": judged.ap50_95_low, "ap50_95_high": judged.ap50_95_high}
    return {
        "accuracy": {**_take(accuracy, "ap50_95"), **to_plain(interval), **accuracy},
        "operating_points": {
            "at_conf": to_plain(judged.at_conf),
            "best_f1": to_plain(judged.best_f1),
            "equal_precision": to_plain(judged.equal_precision),
            "common_precision": to_plain(judged.precision),
        },
        "precision_recall": _precision_recall(judged.precision_recall),
        "confusion": to_plain(judged.confusion),
        "errors": to_plain(judged.errors),
        "calibration": _calibration(judged.calibration),
        "classes": {"only_truth": to_plain(judged.only_truth), "only_model": to_plain(judged.only_model)},
    }


def _precision_recall(curve: PrecisionRecall) -> dict[str, Any]:
    rows = zip(curve.class_names, curve.class_precision, curve.class_score, strict=True)
    return {
        "iou_threshold": to_plain(curve.iou_threshold),
        "recall": to_plain(curve.recall),
        "precision": to_plain(curve.precision),
        "per_class": {name: {"precision": to_plain(p), "score": to_plain(s)} for name, p, s in rows},
    }


def _calibration(calibration: Calibration) -> dict[str, Any]:
    own: dict[str, Any] = to_plain(calibration)
    judged = calibration.miscalibrated if math.isfinite(calibration.error) else None
    bins = own.pop("bins")
    return {**own, "miscalibrated": to_plain(judged), "bins": bins}


def _ratio(ratio: Ratio) -> dict[str, Any]:
    own: dict[str, Any] = to_plain(ratio.figures)
    return {**_take(own, "metric"), "a": ratio.a, "b": ratio.b, **own}


def _difference(difference: Difference) -> dict[str, Any]:
    own: dict[str, Any] = to_plain(difference.figures)
    pair = {"a": difference.a, "b": difference.b}
    return {**_take(own, "metric", "class_name"), **pair, **own, "min_score": to_plain(difference.min_score)}


def _agreement(agreement: AgreementReport) -> dict[str, Any]:
    own: dict[str, Any] = to_plain(agreement)
    for pair in own["pairs"]:
        pair["per_class"] = _by_name(pair["per_class"])
    return own


def _by_name(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {row["class_name"]: {k: v for k, v in row.items() if k != "class_name"} for row in rows}
