"""The section on accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from detectattn.report.html.blocks import Block, Fold, Heading, Paragraph, Section
from detectattn.report.html.view import Viewer
from detectattn.report.tables.accuracy import (
    SIZES_NOTE,
    all_class_differences_table,
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
from detectattn.report.tables.base import Table
from detectattn.report.tables.errors import (
    CALIBRATION_NOTE,
    all_confusion_table,
    calibration_table,
    confusion_table,
    error_table,
    operating_point_table,
    precision_table,
    reliability_table,
)

# Plots that have their place; any other stands after the metrics.
_PLACED = ("object-size", "differences", "class-differences", "precision-recall", "operating-points")
_MOST_UNFOLDED = 12


def accuracy_section(view: Viewer) -> Section | None:
    """What ground truth says; without it, what there is to say about that. None where there is neither."""
    caveats = view.caveats("truth", "classes", "accuracy", "queries")
    judged = judged_models(view.report)
    if not judged and not caveats:
        return None
    lead = (
        "How often each model is right, whether these images are enough to tell the models apart, and what goes wrong."
    )
    if not judged:
        lead = "Which model is right can only be told against ground truth."
    return Section("accuracy", "Accuracy", lead, caveats, tuple(_iter_accuracy(view)) if judged else ())


def _iter_accuracy(view: Viewer) -> Iterator[Block]:
    judged = judged_models(view.report)
    yield from view.table(metrics_table(view.report, judged), tell_published_ap(view.report))
    yield from view.other_plots("accuracy", _PLACED)
    yield from _iter_differences(view)
    yield Heading("by-size", "By the size of objects")
    yield from view.plot("object-size", level=4)
    yield from view.table(sizes_table(judged), SIZES_NOTE, tell_undefined(judged))
    yield from _iter_classes(view)
    yield Heading("precision-recall", "Precision and recall")
    yield from view.plot("precision-recall", level=4)
    yield from _fold(view, "Precision by recall in figures", precision_table(judged))
    yield Heading("operating-points", "Operating points")
    yield from view.plot("operating-points", level=4)
    yield from view.table(operating_point_table(judged))
    yield from _iter_errors(view)
    yield Heading("calibration", "Calibration")
    yield Paragraph(CALIBRATION_NOTE)
    yield from view.plot("calibration", level=4)
    yield from view.table(calibration_table(judged), quiet=True)
    yield from view.other_plots("calibration", ("calibration",), level=4)
    yield from _fold(view, "Scores and the share that is right, in figures", reliability_table(judged))


def _iter_differences(view: Viewer) -> Iterator[Block]:
    differences = difference_table(view.report)
    if differences is None:
        return
    yield Heading("differences", "Differences")
    yield from view.plot("differences", level=4)
    yield from view.table(differences)


def _iter_classes(view: Viewer) -> Iterator[Block]:
    classes = class_table(judged_bases(view.report))
    by_class = class_differences(view.report)
    if classes is None and not by_class:
        return
    yield Heading("by-class", "By class")
    yield from view.plot("class-differences", level=4)
    if by_class:
        decided = class_difference_table(by_class)
        if not decided.rows:
            yield Paragraph("No difference on a single class is decided.")
        told = f"{decided.caption}, {len(decided.rows):,} of {len(by_class):,}"
        yield from view.table(replace(decided, caption=told))
        yield from _fold(view, f"All {len(by_class):,} differences on a class", all_class_differences_table(by_class))
    if classes is not None and len(classes.rows) > _MOST_UNFOLDED:
        yield from _fold(view, f"AP on all {len(classes.rows):,} classes", classes)
    else:
        yield from view.table(classes)


def _iter_errors(view: Viewer) -> Iterator[Block]:
    yield Heading("errors", "Errors")
    yield from view.plot("errors", level=4)
    yield from view.table(error_table(judged_models(view.report)))
    yield from view.other_plots("errors", ("errors",), level=4)
    bases = judged_bases(view.report)
    yield from _fold(view, "Every cell of the matrix in figures", all_confusion_table(bases))
    yield from view.table(confusion_table(bases))


def _fold(view: Viewer, summary: str, table: Table | None) -> Iterator[Block]:
    blocks = view.table(table)
    if blocks:
        yield Fold(summary, blocks)
