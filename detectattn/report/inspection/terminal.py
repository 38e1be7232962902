"""An inspection for a terminal of 80 columns."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from detectattn.report.columns import align, wrap
from detectattn.report.inspection.findings import iter_caveats, iter_findings, tell_headline
from detectattn.report.inspection.roofline import roof_block_table, roof_table
from detectattn.report.inspection.tables import (
    attention_table,
    block_table,
    count_table,
    fused_table,
    growth_table,
    ledger_table,
)
from detectattn.report.inspection.words import find_shown_size, percent
from detectattn.report.plots.base import Plot
from detectattn.report.tables.base import Table
from detectattn.results.inspection import ModelInspection, SizeInspection
from detectattn.sources.naming import to_one_line


def render_terminal(
    models: Sequence[ModelInspection], folder: str | None, plots: Sequence[Plot], words: Sequence[str]
) -> list[str]:
    """Lines for standard output: what each model is made of, what its attention costs, what to open and type next.

    Args:
        models: In the order in which they were named.
        folder: Where files were written, or None.
        plots: That were written there.
        words: What the models were named with.
    """
    lines: list[str] = []
    for model in models:
        lines += [*_render_model(model), ""]
    if folder is not None:
        lines += [f"{label:<9} {folder}/{name}" for label, name in _list_files(plots)]
    return [*lines, *_next(models, folder, [shlex.quote(word) for word in words])]


def _render_model(model: ModelInspection) -> Iterator[str]:
    size = find_shown_size(model)
    yield from wrap(to_one_line(tell_headline(model)))
    for finding in iter_findings(model):
        yield from wrap(to_one_line(finding))
    for caveat in iter_caveats(model):
        yield from wrap(to_one_line(caveat), first="note: ", rest="      ")
    yield from _show(block_table(size, whole=False))
    yield from _tell_overhead(size)
    yield from _show(attention_table(size, whole=False))
    yield from _show(ledger_table(model))
    yield from _show(growth_table(model) if size.attention else None)
    yield from _show(roof_table(model, whole=False))
    yield from _show(roof_block_table(model, whole=False))
    yield from _show(fused_table(model))
    yield from _show(None if model.reconciliation is None else count_table(model.reconciliation))


def _tell_overhead(size: SizeInspection) -> Iterator[str]:
    timing = size.timing
    if timing is not None:
        parts, slower = (percent(ms, timing.whole_ms) for ms in (timing.blocks_ms, timing.measured_ms))
        yield from wrap(
            f"blocks sum to {parts} of a plain pass; a pass in which they are measured takes {slower} of it "
            f"({timing.rounds} rounds)"
        )


def _show(table: Table | None) -> Iterator[str]:
    if table is not None:
        yield ""
        yield table.caption
        yield from _align(table)


def _align(table: Table) -> list[str]:
    rows = [tuple(to_one_line(cell) if isinstance(cell, str) else "".join(cell) for cell in row) for row in table.rows]
    return align(table.header, rows, numbers=table.numbers)


def _list_files(plots: Sequence[Plot]) -> Iterator[tuple[str, str]]:
    yield "report", "inspect.md"
    yield "figures", "inspect.json"
    for plot in plots:
        yield "plot", f"{plot.name}.png"


def _next(models: Sequence[ModelInspection], folder: str | None, words: Sequence[str]) -> Iterator[str]:
    """What to type next."""
    if folder is None:
        yield to_one_line(f"next      detectattn inspect {' '.join(words)} -o FOLDER")
    elif len(models) > 1:
        yield to_one_line(f"next      detectattn compare -m {' -m '.join(words)}")
    elif models[0].sizes[0].attention:
        yield to_one_line(f"next      detectattn explain IMAGE -m {words[0]}")
