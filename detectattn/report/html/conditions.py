"""The section on how the study was done, what took part, and how to read its figures."""

from __future__ import annotations

from detectattn.report.cells import MISSING, UNTRUSTED
from detectattn.report.html.blocks import Block, Heading, Paragraph, Section
from detectattn.report.html.view import Viewer
from detectattn.report.tables.base import DECIDED_WHERE
from detectattn.report.tables.conditions import (
    condition_table,
    conversion_table,
    file_table,
    machine_table,
    model_table,
)

_READING = (
    "Brackets hold 95% intervals: intervals made in this way hold the true figure in about 95 of 100 studies. "
    "Those of accuracy speak for images like these; those of times for this machine as it was during this study, "
    "and not for another day or another machine.",
    f"Decided means that chance is ruled out: {DECIDED_WHERE.removeprefix('where ')}. Not decided means that this "
    "study cannot tell, not that the models are equal.",
    f"{MISSING} stands where a figure does not exist; it is never 0. Grey with {UNTRUSTED} stands where the machine "
    "was too unsteady for a time to be trusted.",
    "AP is COCO's: the mean of average precision over IoU 0.50 to 0.95 and classes, 0 to 1.",
)


def conditions_section(view: Viewer) -> Section:
    """Under what conditions all figures of the page were taken."""
    report = view.report
    blocks: tuple[Block, ...] = (
        *view.table(condition_table(report)),
        *_notes_on_truth(view),
        Heading("how-to-read", "How to read the figures"),
        *map(Paragraph, _READING),
        Heading("took-part", "Models and files"),
        *view.table(model_table(report)),
        *view.table(conversion_table(report)),
        *view.table(file_table(report)),
        Heading("machine", "Machine and versions"),
        *view.table(machine_table(report), quiet=True),
    )
    lead = (
        "The same images and the same rules for every model: how they were measured, on what, and how to do it again."
    )
    return Section("conditions", "Conditions and trust", lead, (), blocks)


def _notes_on_truth(view: Viewer) -> tuple[Block, ...]:
    truth = view.report.conditions.truth
    if truth is None or not truth.notes:
        return ()
    return (Paragraph(f"Of the ground truth: {'; '.join(truth.notes)}."),)
