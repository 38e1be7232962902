"""Time against what is got for it."""

from __future__ import annotations

from dataclasses import replace

from detectattn.report.cells import figure, share, variant_text
from detectattn.report.content import Frontier
from detectattn.report.tables.base import Name, Table, make_table

UNBEATEN = "●"
"""Beside what no other beats."""


def gain_name(frontier: Frontier) -> str:
    """What is set against time: ``AP``, ``agreement with rtdetr-l``."""
    return "AP" if frontier.reference is None else f"agreement with {frontier.reference}"


def frontier_table(frontier: Frontier) -> Table:
    """Models and variants, fastest first."""
    rows = [
        (
            UNBEATEN if point.pareto else "",
            Name(point.name),
            variant_text(point),
            figure(point.p50_ms),
            figure(point.peak_mb),
            share(point.gain),
        )
        for point in frontier.points
    ]
    gain = gain_name(frontier)
    header = ("", "model", "changed", "median (ms)", "peak memory (MB)", gain)
    table = make_table("frontier", f"Time against {gain}, fastest first", header, rows, numbers=(3, 4, 5))
    return replace(table, names_row=1, strong=frozenset(i for i, p in enumerate(frontier.points) if p.pareto))
