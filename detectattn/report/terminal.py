"""The closing lines of a study, for a terminal of 80 columns."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from detectattn.report.cells import (
    MISSING,
    UNTRUSTED,
    base_models,
    count,
    doubt_mark,
    figure,
    peak_mb,
    share,
    variant_text,
)
from detectattn.report.columns import WIDTH, align, measure, wrap
from detectattn.report.content import ModelReport, Report, Speed
from detectattn.sources.naming import to_one_line

PARETO = "*"
_MOST_CAVEATS = 8


class _Column(NamedTuple):
    """A column of the table: what it is called, and what a model has in it."""

    title: str
    cell: Callable[[ModelReport], str]


def render_terminal(report: Report, folder: str) -> list[str]:
    """Lines for standard output: the verdict, what to know about it, a line a model, what failed, what to open.

    Args:
        report: The study.
        folder: Its run folder. Where a path in it does not fit into a line, the folder stands on a line of its own. It
            is never broken, so that it can be copied: only lines that name it can be longer than 80 columns.
    """
    blocks = (_verdict, _caveats, _table, _gates, lambda r: _paths(r, folder))
    lines: list[str] = []
    for block in blocks:
        found = list(block(report))
        if found and lines:
            lines.append("")
        lines += found
    return lines


def _verdict(report: Report) -> Iterator[str]:
    for sentence in report.verdict:
        yield from wrap(to_one_line(sentence.text))


def _caveats(report: Report) -> Iterator[str]:
    if report.status == "interrupted":
        yield from _note("the study was interrupted: models are missing.")
    for caveat in report.caveats[:_MOST_CAVEATS]:
        yield from _note(caveat.text)
    if len(report.caveats) > _MOST_CAVEATS:
        yield from _note(f"{len(report.caveats) - _MOST_CAVEATS} more to know, in report.html.")


def _note(text: str) -> list[str]:
    return wrap(to_one_line(text), first="note: ", rest="      ")


def _table(report: Report) -> Iterator[str]:
    columns = _choose_columns(report)
    best = set() if report.frontier is None else {point.name for point in report.frontier.points if point.pareto}
    header = ("model", *(column.title for column in columns))
    rows = [(_name(model, model.name in best), *(c.cell(model) for c in columns)) for model in report.models]
    yield from align(header, rows, numbers=range(1, len(header)))
    yield from _engine(report)
    if best and report.frontier is not None:
        more = "more accurate" if report.frontier.reference is None else f"closer to {report.frontier.reference}"
        yield from wrap(to_one_line(f"{PARETO} none is both as fast and {more}, or as good and faster"))
    if any(model.speed is not None and not model.speed.noise.trusted for model in report.models):
        yield f"{UNTRUSTED} not to be trusted: the notes above say why"


def _engine(report: Report) -> Iterator[str]:
    """What ran in the place of all models, where that is one thing; a note says it where they did not run alike."""
    made = [model for model in base_models(report) if model.conversion is not None]
    ran = {(model.engine, model.device, model.precision) for model in base_models(report) if model.engine}
    if made and len(ran) == 1:
        engine, device, precision = ran.pop()
        yield to_one_line(f"  run on {engine} ({device}, {precision}), converted")


def _name(model: ModelReport, best: bool) -> str:
    # A variant stands below its model, and need not repeat its name.
    own = f"  {variant_text(model)}" if model.variant else model.name
    return f"{PARETO if best else ' '} {to_one_line(own)}"


def _choose_columns(report: Report) -> Sequence[_Column]:
    """Those in which any model has something."""
    columns = [
        _Column("p50 ms", _p50),
        _Column("p95 ms", lambda m: MISSING if m.speed is None else _time(m.speed, m.speed.figures.p95_ms)),
        _Column("img/s", lambda m: MISSING if m.speed is None else _time(m.speed, m.speed.figures.images_per_s)),
        _Column("peak MB", lambda m: figure(peak_mb(m))),
        _Column("AP", lambda m: MISSING if m.judgement is None else share(m.judgement.accuracy.ap50_95)),
        _Column("AP50", lambda m: MISSING if m.judgement is None else share(m.judgement.accuracy.ap50)),
    ]
    if all(model.judgement is None for model in report.models):
        columns.append(_Column("found", lambda m: MISSING if m.status == "failed" else count(m.detections)))
    return [column for column in columns if any(column.cell(model) != MISSING for model in report.models)]


def _p50(model: ModelReport) -> str:
    if model.status == "failed":
        return "failed"
    return MISSING if model.speed is None else _time(model.speed, model.speed.figures.p50_ms)


def _time(speed: Speed, value: float | None) -> str:
    shown = figure(value)
    return shown if shown == MISSING else shown + doubt_mark(speed)


def _gates(report: Report) -> Iterator[str]:
    failed = [gate for gate in report.gates if gate.failed]
    for gate in failed:
        yield from wrap(to_one_line(f"failed: {gate.condition}"))
        yield from wrap(to_one_line(gate.text), first="  ")
    if report.gates and not failed:
        yield f"{'the gate' if len(report.gates) == 1 else f'all {len(report.gates):,} gates'} passed"


def _paths(report: Report, folder: str) -> Iterator[str]:
    outputs = [("report", "report.html"), ("figures", "report.json")]
    if report.disputed:
        outputs.append(("disputed", os.path.join("disputed", "disputed.csv")))  # noqa: PTH118
    if any(image.picture is not None for image in report.disputed):
        outputs.append(("pictures", f"pictures{os.sep}"))
    whole = [f"{label:<9} {to_one_line(os.path.join(folder, name))}" for label, name in outputs]  # noqa: PTH118
    if max(map(measure, whole)) <= WIDTH:
        yield from whole
    else:
        yield to_one_line(folder)
        yield from (f"{label:<9} {name}" for label, name in outputs)
    yield from _next(report, folder)


def _next(report: Report, folder: str) -> Iterator[str]:
    """What to type next."""
    bases = base_models(report)
    if report.status == "interrupted":
        yield f"next      detectattn compare --resume {to_one_line(shlex.quote(folder))}"
    elif report.conditions.truth is None and report.disputed:
        yield "next      correct the labels in disputed/ by hand, and give them with --truth"
    elif len(bases) == len(report.models) and any(model.family == "attention" for model in bases):
        yield "next      add --sweep decoder_layers=2,3 to see what a faster RT-DETR costs"
