"""From tables, plots and caveats to what templates show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detectattn.report.content import Caveat, Report, Topic
from detectattn.report.html.blocks import Block, CellView, ColumnView, PlotView, RowView, TableView, Tone
from detectattn.report.html.marks import Mark, make_marks
from detectattn.report.html.parts import Part, find_names, split_cell
from detectattn.report.looks import find_looks
from detectattn.report.plots.base import Plot
from detectattn.report.tables.base import Table
from detectattn.report.tables.frontier import UNBEATEN

# Signs that a screen reader would pass over.
_SPOKEN = {UNBEATEN: "beaten by none"}
_LEAST_SORTABLE = 6
_FRAME_PX = 90
_UNKNOWN_HEIGHT_PX = 320


@dataclass(frozen=True, slots=True)
class Layout:
    """What every section of a page draws on, whatever the page is about.

    Attributes:
        noted: What to know before relying on its figures.
        marks: Of its models, by name.
        plots: By name.
    """

    noted: tuple[Caveat, ...]
    marks: Mapping[str, Mark]
    plots: Mapping[str, Plot]

    def caveats(self, *topics: Topic) -> tuple[tuple[Part, ...], ...]:
        """What to know about figures of these topics."""
        found = (caveat for caveat in self.noted if caveat.topic in topics)
        return tuple(self.tell(caveat.text, caveat.models) for caveat in found)

    def tell(self, text: str, names: Iterable[str]) -> tuple[Part, ...]:
        """A sentence with the names of models in it told apart."""
        return find_names(text, names, self.marks)

    def table(self, table: Table | None, *notes: str | None, quiet: bool = False) -> tuple[Block, ...]:
        """A table with what to know in order to read it; nothing without one.

        Args:
            table: What is shown.
            notes: Below it.
            quiet: Whether its caption repeats the heading above.
        """
        if table is None or not table.rows:
            return ()
        columns = tuple(ColumnView(title, i in table.numbers) for i, title in enumerate(table.header))
        rows = tuple(self._row(table, place) for place in range(len(table.rows)))
        sortable = bool(table.numbers) and len(rows) >= _LEAST_SORTABLE
        kept = tuple(note for note in notes if note)
        caption, _, reading = table.caption.partition("; ")
        return (TableView(f"table-{table.name}", caption, reading, columns, rows, sortable, quiet, kept),)

    def _row(self, table: Table, place: int) -> RowView:
        tone: Tone = "doubted" if place in table.doubted else "strong" if place in table.strong else "plain"
        cells = (
            CellView(_speak(split_cell(cell, self.marks)), i in table.numbers, i == table.names_row)
            for i, cell in enumerate(table.rows[place])
        )
        return RowView(tuple(cells), tone)

    def plot(self, name: str, *, level: int = 3) -> tuple[Block, ...]:
        """The plot of a name, if there is one, with a heading of a level."""
        return (_view_plot(self.plots[name], level),) if name in self.plots else ()

    def other_plots(self, section: str, shown: Sequence[str] = (), *, level: int = 3) -> tuple[Block, ...]:
        """Plots of a section of the page that do not have their place elsewhere in it."""
        left = (plot for plot in self.plots.values() if plot.section == section and plot.name not in shown)
        return tuple(_view_plot(plot, level) for plot in left)


@dataclass(frozen=True, slots=True)
class Viewer(Layout):
    """What every section of a study's page draws on.

    Attributes:
        report: The study.
    """

    report: Report


def make_viewer(report: Report, plots: Iterable[Plot]) -> Viewer:
    """Everything that sections draw on."""
    return Viewer(report.caveats, make_marks(find_looks(report)), {plot.name: plot for plot in plots}, report)


def _view_plot(plot: Plot, level: int) -> PlotView:
    height = plot.spec.get("height")
    room = height + _FRAME_PX if isinstance(height, int | float) else _UNKNOWN_HEIGHT_PX
    return PlotView(plot.name, level, plot.title, plot.caption, plot.alt, round(room), plot.spec)


def _speak(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    spoken = [Part(_SPOKEN[part.text], "spoken") for part in parts if part.text in _SPOKEN]
    return (*parts, *spoken)
