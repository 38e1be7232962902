"""Time against what is got for it."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.report.cells import figure, share, variant_text
from detectattn.report.content import Report
from detectattn.report.markdown.text import Markdown, escape, table


def iter_frontier(report: Report) -> Iterator[str]:
    """The section on the frontier; nothing where there is none."""
    frontier = report.frontier
    if frontier is None:
        return
    yield "## Frontier"
    gain = "AP" if frontier.reference is None else f"agreement with {frontier.reference}"
    yield escape(
        f"Fastest first. Bold and marked ● are those that no other beats: none is as fast with more {gain}, and none "
        f"has as much {gain} and is faster."
    )
    rows = []
    for point in frontier.points:
        name = escape(point.name)
        mark = "●" if point.pareto else ""
        shown = Markdown(f"**{name}**") if point.pareto else name
        changed = variant_text(point)
        rows.append((mark, shown, changed, figure(point.p50_ms), figure(point.peak_mb), share(point.gain)))
    header = ("", "model", "changed", "median (ms)", "peak memory (MB)", gain)
    yield table(header, rows, numbers=(3, 4, 5))
