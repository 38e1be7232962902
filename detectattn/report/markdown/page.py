"""The page: the verdict first, then a section for each kind of figure, then how it was done."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from detectattn.report.content import Report
from detectattn.report.markdown.accuracy import iter_accuracy
from detectattn.report.markdown.agreement import iter_agreement
from detectattn.report.markdown.conditions import iter_conditions
from detectattn.report.markdown.frontier import iter_frontier
from detectattn.report.markdown.speed import iter_size, iter_speed
from detectattn.report.markdown.text import bullets, caveats, code_block, escape, table
from detectattn.report.tables.conditions import gate_table, machine_table
from detectattn.report.tables.top import tell_study, title_of


def render_markdown(report: Report) -> str:
    """The text of ``report.md``. Pictures are linked by their paths relative to it."""
    blocks = [
        *_iter_top(report),
        *_iter_gates(report),
        *iter_speed(report),
        *iter_size(report),
        *iter_accuracy(report),
        *iter_agreement(report),
        *iter_frontier(report),
        *iter_conditions(report),
        *_iter_machine(report),
    ]
    return "\n\n".join(blocks) + "\n"


def _iter_top(report: Report) -> Iterator[str]:
    yield f"# {escape(title_of(report))}"
    yield escape(tell_study(report))
    if report.status == "interrupted":
        yield "> **Interrupted.** Models are missing from this report."
    if report.verdict:
        yield "## Verdict"
        yield bullets(sentence.text for sentence in report.verdict)
    yield from caveats(report, "model", "images")


def _iter_gates(report: Report) -> Iterator[str]:
    if gates := gate_table(report):
        yield "## Gates"
        yield table(gates, bold=0)


def _iter_machine(report: Report) -> Iterator[str]:
    yield "## Machine and versions"
    yield table(machine_table(report))
    yield "## Command"
    yield code_block(shlex.join(report.command))
    yield escape("Every figure, unrounded, is in report.json, which lies beside this page.")
