"""Time against what is got for it."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.report.content import Report
from detectattn.report.markdown.text import escape, table
from detectattn.report.tables.frontier import frontier_table, gain_name


def iter_frontier(report: Report) -> Iterator[str]:
    """The section on the frontier; nothing where there is none."""
    frontier = report.frontier
    if frontier is None:
        return
    yield "## Frontier"
    gain = gain_name(frontier)
    yield escape(
        f"Fastest first. Bold and marked ● are those that no other beats: none is as fast with more {gain}, and none "
        f"has as much {gain} and is faster."
    )
    yield table(frontier_table(frontier), bold=1)
