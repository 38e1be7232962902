"""What costs models their accuracy."""

from __future__ import annotations

from detectattn.report.cells import count, share
from detectattn.report.content import Report
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import find_cast, find_finished
from detectattn.report.plots.groups import GroupMark, draw_groups
from detectattn.report.plots.names import clean_name, join_clauses
from detectattn.report.plots.spec import is_known
from detectattn.results import ErrorBreakdown, ErrorCost

_KINDS = {
    "missed": "missed: an object that nothing found",
    "classification": "wrong class: the place is right",
    "localisation": "wrong place: the class is right, the box is off",
    "both": "both wrong",
    "duplicate": "duplicate: the object was found already",
    "background": "nothing there",
}


def plot_errors(report: Report) -> Plot | None:
    """AP50 lost to each kind of error by model; None without ground truth."""
    judged = [(m.name, m.judgement.errors) for m in find_finished(report) if m.judgement is not None]
    costs = [(name, kind, _cost(errors, kind)) for name, errors in judged for kind in _KINDS]
    if not any(is_known(cost.ap_lost) for _, _, cost in costs):
        return None
    order = sorted(_KINDS, key=lambda kind: -max(c.ap_lost for _, k, c in costs if k == kind and is_known(c.ap_lost)))
    marks = [
        GroupMark(
            order.index(kind),
            name,
            cost.ap_lost if is_known(cost.ap_lost) else None,
            f"{share(cost.ap_lost)} ({count(cost.count)})",
            count(cost.count),
        )
        for name, kind, cost in costs
    ]
    high = fit_range([0, *(mark.value for mark in marks if mark.value is not None)], margin=0.03)[1]
    axis = {"title": "AP50 lost (0 to 1)", "tickCount": 5}
    return Plot(
        name="errors",
        section="errors",
        title="What kind of mistakes cost the most?",
        caption=(
            "How much AP50 would rise were one kind of error mended; in brackets how many there are. The costliest "
            "kind first."
        ),
        alt=f"AP50 lost by kind of error. {join_clauses([_tell(*each) for each in judged])}.",
        spec=draw_groups(
            [_KINDS[kind] for kind in order], marks, find_cast(report), axis, high=high, detail="how many"
        ),
    )


def _cost(errors: ErrorBreakdown, kind: str) -> ErrorCost:
    cost = getattr(errors, kind)
    assert isinstance(cost, ErrorCost)
    return cost


def _tell(name: str, errors: ErrorBreakdown) -> str:
    parts = []
    for kind, label in _KINDS.items():
        cost = _cost(errors, kind)
        parts.append(f"{label.partition(':')[0]} {share(cost.ap_lost)} ({count(cost.count)})")
    return f"{clean_name(name, 60)}: {', '.join(parts)}"
