"""Where models agree, and the pictures on which they do not."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.report.content import AgreementReport, Report
from detectattn.report.markdown.text import caveats, escape, picture, show_cell, table
from detectattn.report.tables.agreement import (
    MOST_LISTED,
    agreement_table,
    alone_table,
    class_agreement_table,
    disputed_name,
    disputed_table,
    tell_agreement,
)


def iter_agreement(report: Report) -> Iterator[str]:
    """The section on agreement."""
    notes = caveats(report, "agreement")
    if report.agreement is None and not notes:
        return
    yield "## Agreement"
    yield from notes
    if report.agreement is not None:
        yield from _agreement(report.agreement)
    yield from _disputed(report)


def _agreement(agreement: AgreementReport) -> Iterator[str]:
    yield escape(tell_agreement(agreement))
    yield table(agreement_table(agreement))
    if len(agreement.pairs) == 1:
        yield table(class_agreement_table(agreement.pairs[0]))
    else:
        yield table(alone_table(agreement))


def _disputed(report: Report) -> Iterator[str]:
    listed = disputed_table(report)
    if listed is None:
        return
    yield "### Most disputed pictures"
    yield table(listed)
    if len(report.disputed) > MOST_LISTED:
        yield f"And {len(report.disputed) - MOST_LISTED:,} more, in `report.json` and `disputed/disputed.csv`."
    for rank, image in enumerate(report.disputed[:MOST_LISTED], start=1):
        if image.picture is not None:
            yield f"{rank}\\. {show_cell(disputed_name(image))}"
            yield picture(image.picture, f"{image.source}, the models side by side")
