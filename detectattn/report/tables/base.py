"""What a table is, whatever it shows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from detectattn.report.cells import MISSING


class Code(str):
    """Text in the type of code: a path, a checksum, a condition."""

    __slots__ = ()


class Name(str):
    """The name of a model of the study; a page puts the model's mark before it."""

    __slots__ = ()


Cell = str | tuple[str, ...]
"""Text, or several in a row; each may be :class:`Code` or :class:`Name`."""

DECIDED_WHERE = "where equal models would seem to differ as much less than once in a hundred studies"
"""What the column *decided* says."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        name: Identifier, unique in a report: ``latency``.
        caption: What it shows; without a full stop.
        header: Titles of its columns; empty where a column needs none.
        rows: As many cells each.
        numbers: Columns that hold figures.
        names_row: The column that says what a row is about.
        doubted: Rows with times that should not be trusted.
        strong: Rows to be seen first.
    """

    name: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: tuple[int, ...] = ()
    names_row: int = 0
    doubted: frozenset[int] = frozenset()
    strong: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError(f"every row of table {self.name} must have {len(self.header)} cells")


def make_table(
    name: str,
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    numbers: Collection[int] = (),
    sparse: bool = False,
) -> Table:
    """A table whose rows are told by their first column.

    Args:
        name: Identifier.
        caption: What it shows.
        header: Titles.
        rows: Cells.
        numbers: Columns that hold figures.
        sparse: Leave out columns in which no row has anything.

    Raises:
        ValueError: A row has more or fewer cells than the header.
    """
    kept = range(len(header))
    if sparse and rows:
        kept = [column for column in kept if any(row[column] != MISSING for row in rows)]  # type: ignore[assignment]
    return Table(
        name,
        caption,
        tuple(header[column] for column in kept),
        tuple(tuple(row[column] for column in kept) for row in rows),
        tuple(place for place, column in enumerate(kept) if column in numbers),
    )
