"""An inspection as Markdown: ``inspect.md``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from detectattn.report.inspection.words import find_shown_size, size_text
from detectattn.report.markdown.text import Markdown, bullets, escape, picture, table
from detectattn.report.plots.base import Plot
from detectattn.report.tables.base import Table
from detectattn.results.inspection import ModelInspection

_NOTES = (
    "GFLOPs count a multiplication and an addition as two; normalisation, activation and softmax are left out.",
    "Times are medians of passes of one picture; children of a block need not add up to it exactly.",
    "Peak MB is what a block's operations return and hold at once, beyond what was there when it began.",
    "Bytes in shares and exponents are those of all tensors that operations write.",
    "Read and written MB are those of all tensors that operations read and write, as if there were no caches.",
    "Roofline (Williams, Waterman, Patterson 2009): what the device allows is measured, with products of matrices for "
    "computing and with a sum of arrays far larger than its caches for memory. Roof ms is the time that the lower of "
    "the two allows, reached its share of the measured time.",
    "Exponents are least squares on logarithms, ± their standard error.",
)


def render_markdown(models: Sequence[ModelInspection], plots: Sequence[Plot]) -> str:
    """The text of ``inspect.md``.

    Args:
        models: In the order in which they were named.
        plots: What pictures beside it show; each file is called as its plot.
    """
    blocks = ["# What models are made of, and what their attention costs"]
    for plot in plots:
        blocks += [f"## {escape(plot.title)}", picture(f"{plot.name}.png", plot.alt), escape(plot.caption)]
    for model in models:
        blocks += _render_model(model)
    return "\n\n".join([*blocks, "## How to read it", bullets(_NOTES)]) + "\n"


def _render_model(model: ModelInspection) -> Iterator[str]:
    size = find_shown_size(model)
    at = size_text(size.net_hw)
    yield f"## {escape(model.name)}"
    yield escape(tell_headline(model))
    yield bullets(iter_findings(model))
    caveats = list(iter_caveats(model))
    if caveats:
        yield Markdown("\n".join(f"> - {escape(caveat)}" for caveat in caveats))
    yield from _show("Costs by image size", ledger_table(model))
    yield from _show("Growth", growth_table(model) if size.attention else None)
    yield from _show("Memory" if model.roof is None else "Roofline", roof_table(model, whole=True))
    yield from _show("Fused attention", fused_table(model))
    yield from _show(f"Attention at {at}", attention_table(size, whole=True))
    yield from _show("Operations", None if model.reconciliation is None else count_table(model.reconciliation))
    yield from _show(f"Blocks at {at}", _indent(block_table(size, whole=True)))
    under_roof = roof_block_table(model, whole=True)
    yield from _show(f"Blocks under the roofline at {at}", None if under_roof is None else _indent(under_roof))


def _show(title: str, shown: Table | None) -> Iterator[str]:
    if shown is not None:
        yield f"### {escape(title)}"
        yield table(shown)


def _indent(shown: Table) -> Table:
    """The same with spaces that a page would swallow as ones that it keeps."""
    rows = tuple((_keep_spaces(row[0]), *row[1:]) for row in shown.rows)
    return Table(shown.name, shown.caption, shown.header, rows, shown.numbers)


def _keep_spaces(cell: object) -> Markdown:
    text = str(cell)
    bare = text.lstrip(" ")
    return Markdown("&emsp;" * ((len(text) - len(bare)) // 2) + escape(bare))
