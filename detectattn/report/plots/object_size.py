"""Which models find small objects."""

from __future__ import annotations

from detectattn.report.cells import MISSING, share
from detectattn.report.content import Report
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import find_cast, find_finished
from detectattn.report.plots.groups import GroupMark, draw_groups
from detectattn.report.plots.names import clean_name, join_clauses
from detectattn.report.plots.spec import is_known
from detectattn.results import Accuracy

_SIZES = {
    "small": "small: up to 32² pixels",
    "medium": "medium: 32² to 96² pixels",
    "large": "large: from 96² pixels",
}


def plot_object_size(report: Report) -> Plot | None:
    """AP of small, medium and large objects by model; None without ground truth."""
    judged = [(m.name, m.judgement.accuracy) for m in find_finished(report) if m.judgement is not None]
    marks = [
        GroupMark(i, name, ap, MISSING if ap is None else share(ap), share(_recall(own, size)))
        for i, size in enumerate(_SIZES)
        for name, own in judged
        for ap in [_precision(own, size)]
    ]
    if all(mark.value is None for mark in marks):
        return None
    high = fit_range([0, *(mark.value for mark in marks if mark.value is not None)], most=1.0, margin=0.03)[1]
    axis = {"title": "AP (0 to 1)", "tickCount": 6}
    return Plot(
        name="object-size",
        section="accuracy",
        title="Who finds small objects?",
        caption=f"AP by area of the object in the picture; {MISSING} where the pictures have no object of that size.",
        alt=f"AP by size of object. {join_clauses([_tell(name, own) for name, own in judged])}.",
        spec=draw_groups(list(_SIZES.values()), marks, find_cast(report), axis, high=high, detail="AR, 100 detections"),
    )


def _precision(own: Accuracy, size: str) -> float | None:
    value = getattr(own, f"ap_{size}")
    return float(value) if is_known(value) else None


def _recall(own: Accuracy, size: str) -> float | None:
    value = getattr(own, f"ar_{size}")
    return float(value) if is_known(value) else None


def _tell(name: str, own: Accuracy) -> str:
    return f"{clean_name(name, 60)}: {', '.join(f'{size} {share(_precision(own, size))}' for size in _SIZES)}"
