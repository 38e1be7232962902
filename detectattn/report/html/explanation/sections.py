"""The sections after the pictures: whether the maps are true, and how to read them."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.report.explanation import Explanation
from detectattn.report.html.blocks import Block, Heading, Paragraph, Section
from detectattn.report.html.explanation.tables import (
    machine_table,
    measure_table,
    method_table,
    run_table,
    unit_note,
    weights_table,
    worth_table,
)
from detectattn.report.html.view import Layout

_NOT_SCORED = (
    "These maps were not scored: nothing here says whether they are true. Run the same command with --score to hide and "
    "show the pictures along every map and see what the detections lose. It takes some twenty passes a map."
)
_CHOICE = "The map in bold is the one that is shown first."


def truth_section(explanation: Explanation, view: Layout) -> Section:
    """What the maps of every model are worth."""
    lead = "Whether a detection needs what its map shows, beside a random map and a blob on the box."
    return Section("truth", "Are they true?", lead, (), tuple(_iter_truth(explanation, view)))


def _iter_truth(explanation: Explanation, view: Layout) -> Iterator[Block]:
    if not explanation.scored:
        yield Paragraph(_NOT_SCORED)
    yield from view.table(worth_table(explanation), _CHOICE, unit_note(explanation))
    yield from view.other_plots("attention")


def reading_section(explanation: Explanation, view: Layout) -> Section:
    """What methods and measures mean, and what the run was made with."""
    lead = "What a map can say and what it cannot, and what this page was made with."
    blocks: tuple[Block, ...] = (
        *view.table(method_table(explanation)),
        *view.table(measure_table()),
        Heading("conditions", "What was explained, and with what"),
        *view.table(run_table(explanation), quiet=True),
        *view.table(weights_table(explanation)),
        *view.table(machine_table(explanation)),
    )
    return Section("reading", "How to read this", lead, (), blocks)
