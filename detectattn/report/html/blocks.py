"""What a section is made of, ready for a template to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from detectattn.report.html.parts import Part

Tone = Literal["plain", "doubted", "strong"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar[str] = "heading"
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of prose."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell of a table.

    Attributes:
        parts: What stands in it.
        number: Whether it is aligned as figures are.
        names_row: Whether it says what its row is about.
    """

    parts: tuple[Part, ...]
    number: bool
    names_row: bool


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of a table."""

    cells: tuple[CellView, ...]
    tone: Tone


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column of a table; a title may be empty."""

    title: str
    number: bool


@dataclass(frozen=True, slots=True)
class TableView:
    """A table.

    Attributes:
        anchor: Its identifier on the page.
        caption: What it shows.
        reading: How to read it, a clause that goes on from the caption; empty where it needs none.
        columns: From left to right.
        rows: From above.
        sortable: Whether it is worth sorting.
        quiet: Whether the caption is for screen readers alone, because the heading above says the same.
        notes: What to know in order to read it.
    """

    kind: ClassVar[str] = "table"
    anchor: str
    caption: str
    reading: str
    columns: tuple[ColumnView, ...]
    rows: tuple[RowView, ...]
    sortable: bool
    quiet: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlotView:
    """A plot.

    Attributes:
        name: Of the plot; its specification lies under this name in the page's data.
        level: Of its heading: 3 within a section, 4 within a part of one.
        title: The question that it answers.
        caption: How to read it.
        alt: What it says.
        height_px: Room to keep until it is drawn.
        spec: Vega-Lite.
        hint: What can be done with it; empty where that need not be said.
    """

    kind: ClassVar[str] = "plot"
    name: str
    level: int
    title: str
    caption: str
    alt: str
    height_px: int
    spec: Mapping[str, Any]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """What is shown on demand."""

    kind: ClassVar[str] = "fold"
    summary: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture beside the page.

    Attributes:
        url: Relative to the page, escaped as addresses are.
        alt: What it shows.
        caption: What stands below it.
    """

    kind: ClassVar[str] = "picture"
    url: str
    alt: str
    caption: tuple[Part, ...]


Block: TypeAlias = Heading | Paragraph | TableView | PlotView | Fold | PictureView


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page.

    Attributes:
        anchor: Its identifier.
        title: Its heading.
        lead: One line that says what it shows.
        caveats: What to know before relying on its figures.
        blocks: What it shows.
    """

    anchor: str
    title: str
    lead: str
    caveats: tuple[tuple[Part, ...], ...]
    blocks: tuple[Block, ...]
