"""How the study was done, and with what."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.report.content import Report
from detectattn.report.markdown.text import table
from detectattn.report.tables.conditions import condition_table, conversion_table, file_table, model_table


def iter_conditions(report: Report) -> Iterator[str]:
    """The sections on conditions and models."""
    yield "## Conditions"
    yield table(condition_table(report))
    yield "## Models"
    yield table(model_table(report))
    if (made := conversion_table(report)) is not None:
        yield table(made)
    yield table(file_table(report))
