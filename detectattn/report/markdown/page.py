"""The page: the verdict first, then a section for each kind of figure, then how it was done."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from detectattn.report.cells import base_models, count, figure
from detectattn.report.content import Report
from detectattn.report.markdown.accuracy import iter_accuracy
from detectattn.report.markdown.agreement import iter_agreement
from detectattn.report.markdown.conditions import iter_conditions
from detectattn.report.markdown.frontier import iter_frontier
from detectattn.report.markdown.speed import iter_size, iter_speed
from detectattn.report.markdown.text import Markdown, bullets, caveats, code, code_block, escape, table

_MOST_NAMED = 4


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
    yield f"# {_title(report)}"
    truth = report.conditions.truth
    judged = "no ground truth" if truth is None else f"{count(truth.objects)} objects of ground truth"
    yield escape(f"{count(report.conditions.images)} images, {judged}, measured {_date(report.created)}")
    if report.status == "interrupted":
        yield "> **Interrupted.** Models are missing from this report."
    if report.verdict:
        yield "## Verdict"
        yield bullets(sentence.text for sentence in report.verdict)
    yield from caveats(report, "model", "images")


def _title(report: Report) -> Markdown:
    bases = base_models(report)
    names = [m.name for m in bases if m.status == "finished"] or [m.name for m in bases]
    if len(names) == 1:
        return escape(f"{names[0]}, measured")
    if 1 < len(names) <= _MOST_NAMED:
        return escape(f"{', '.join(names[:-1])} and {names[-1]} compared")
    return escape(f"{len(names)} models compared")


def _date(created: str) -> str:
    return created.replace("T", " ").replace("+00:00", " UTC")


def _iter_gates(report: Report) -> Iterator[str]:
    if report.gates:
        yield "## Gates"
        rows = [
            (Markdown("**failed**") if gate.failed else "passed", code(gate.condition), gate.text)
            for gate in sorted(report.gates, key=lambda gate: not gate.failed)
        ]
        yield table(("outcome", "condition", "figures"), rows)


def _iter_machine(report: Report) -> Iterator[str]:
    yield "## Machine and versions"
    machine = [(name.removesuffix("_bytes").replace("_", " "), _show(name, v)) for name, v in report.machine.items()]
    versions = [(name, version) for name, version in report.versions.items()]
    yield table(("what", "which"), [*machine, *versions])
    yield "## Command"
    yield code_block(shlex.join(report.command))
    yield escape("Every figure, unrounded, is in report.json, which lies beside this page.")


def _show(name: str, value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, int) and name.endswith("_bytes"):
        return f"{figure(value / 1e9)} GB"
    return "unknown" if value is None else str(value)
