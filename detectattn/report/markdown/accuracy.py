"""What ground truth says of each model and each pair."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.report.content import Report
from detectattn.report.markdown.text import DECIDED, caveats, escape, table
from detectattn.report.tables.accuracy import (
    SIZES_NOTE,
    Judged,
    class_difference_table,
    class_differences,
    class_table,
    difference_table,
    judged_bases,
    judged_models,
    metrics_table,
    sizes_table,
    tell_published_ap,
    tell_undefined,
)
from detectattn.report.tables.errors import (
    CALIBRATION_NOTE,
    calibration_table,
    confusion_table,
    error_table,
    operating_point_table,
)


def iter_accuracy(report: Report) -> Iterator[str]:
    """The section on accuracy; without ground truth, what there is to say about that."""
    judged = judged_models(report)
    notes = caveats(report, "truth", "classes", "accuracy", "queries")
    if not judged and not notes:
        return
    yield "## Accuracy"
    yield from notes
    if not judged:
        return
    yield from _metrics(report, judged)
    yield from _differences(report)
    if classes := class_table(judged_bases(report)):
        yield "### By class"
        yield table(classes)
    yield from _class_differences(report)
    yield from _errors(judged, judged_bases(report))
    yield "### Calibration"
    yield CALIBRATION_NOTE
    yield table(calibration_table(judged))
    yield "### Operating points"
    points = operating_point_table(judged)
    yield f"{points.caption}:"
    yield table(points)


def _metrics(report: Report, judged: Judged) -> Iterator[str]:
    metrics = metrics_table(report, judged)
    yield f"{metrics.caption}:"
    yield table(metrics)
    if published := tell_published_ap(report):
        yield published
    yield "### By size"
    yield table(sizes_table(judged))
    yield SIZES_NOTE
    if undefined := tell_undefined(judged):
        yield escape(undefined)


def _differences(report: Report) -> Iterator[str]:
    if differences := difference_table(report):
        yield "### Differences"
        yield f"Differences with their 95% intervals over images; {DECIDED}:"
        yield table(differences)


def _class_differences(report: Report) -> Iterator[str]:
    by_class = class_differences(report)
    if not by_class:
        return
    decided = class_difference_table(by_class)
    if not decided.rows:
        yield "No difference on a single class is decided."
        return
    yield f"{decided.caption}, {len(decided.rows):,} of {len(by_class):,}:"
    yield table(decided)


def _errors(judged: Judged, bases: Judged) -> Iterator[str]:
    errors = error_table(judged)
    yield "### Errors"
    yield f"{errors.caption}:"
    yield table(errors)
    if confusions := confusion_table(bases):
        yield f"{confusions.caption}:"
        yield table(confusions)
