"""The sections after the pictures: whether the maps are true, and how to read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detectattn.report.explanation import Explanation
from detectattn.report.html.blocks import Block, Heading, Paragraph, Section
from detectattn.report.html.explanation.tables import (
    machine_table,
    run_table,
    unit_note,
    weights_table,
    worth_table,
)
from detectattn.report.html.parts import Part
from detectattn.report.html.view import Layout
from detectattn.results.explanation import MethodFigures

_NOT_SCORED = (
    "These maps were not scored: nothing here says whether they are true. The same command with --score hides and "
    "shows the pictures along every map, to see what the detections lose. It takes some twenty passes a map."
)
_CHOICE = "The map in bold is the one that is shown first."


def truth_section(explanation: Explanation, view: Layout) -> Section:
    """What the maps of every model are worth."""
    lead = "Whether a detection needs what its map shows, beside a random map and a blob on the box."
    return Section("truth", "Are they true?", lead, (), tuple(_iter_truth(explanation, view)))


def _iter_truth(explanation: Explanation, view: Layout) -> Iterator[Block]:
    if not explanation.scored:
        yield Paragraph(_NOT_SCORED)
    last = len(explanation.models)
    for place, model in enumerate(explanation.models, start=1):
        yield from view.table(worth_table(model, place), *(_notes(explanation) if place == last else ()))
    yield from view.other_plots("attention")


def _notes(explanation: Explanation) -> tuple[str, str]:
    return _CHOICE, unit_note(explanation)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a method's maps mean.

    Attributes:
        title: Its name.
        meaning: What a bright spot is.
        models: Whose maps; empty for those of all models.
    """

    title: str
    meaning: str
    models: tuple[Part, ...]


def list_meanings(explanation: Explanation, view: Layout) -> tuple[Meaning, ...]:
    """The methods of all models, each once."""
    seen: dict[str, tuple[MethodFigures, list[str]]] = {}
    for model in explanation.models:
        for figures in model.methods:
            seen.setdefault(figures.title, (figures, []))[1].append(model.name)
    everyone = len(explanation.models)
    return tuple(
        Meaning(figures.title, f"{figures.meaning}.", () if len(names) == everyone else _name(names, view))
        for figures, names in seen.values()
    )


def _name(names: Sequence[str], view: Layout) -> tuple[Part, ...]:
    parts = [part for name in names for part in (Part(", "), Part(name, "name", view.marks.get(name)))]
    return tuple(parts[1:])


def reading_section(explanation: Explanation, view: Layout) -> Section:
    """What methods and measures mean, and what the run was made with."""
    lead = "What a map can say and what it cannot, and what this page was made with."
    blocks: tuple[Block, ...] = (
        Heading("conditions", "What was explained, and with what"),
        *view.table(run_table(explanation), quiet=True),
        *view.table(weights_table(explanation)),
        *view.table(machine_table(explanation)),
    )
    return Section("reading", "How to read this", lead, (), blocks)
