"""What a study is called, and what it is in one line."""

from __future__ import annotations

from detectattn.report.cells import base_models, count
from detectattn.report.content import Report

_MOST_NAMED = 4


def title_of(report: Report) -> str:
    """``rtdetr-l and yolo11n compared``."""
    bases = base_models(report)
    names = [m.name for m in bases if m.status == "finished"] or [m.name for m in bases]
    if len(names) == 1:
        return f"{names[0]}, measured"
    if 1 < len(names) <= _MOST_NAMED:
        return f"{', '.join(names[:-1])} and {names[-1]} compared"
    return f"{len(names)} models compared"


def tell_study(report: Report) -> str:
    """``24 images, 249 objects of ground truth, measured 2026-03-01 12:00:00 UTC``."""
    truth = report.conditions.truth
    judged = "no ground truth" if truth is None else f"{count(truth.objects)} objects of ground truth"
    return f"{count(report.conditions.images)} images, {judged}, measured {show_date(report.created)}"


def show_date(created: str) -> str:
    """A date as ISO 8601 has it, for people."""
    return created.replace("T", " ").replace("+00:00", " UTC")
