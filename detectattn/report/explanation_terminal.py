"""The closing lines of an explanation, for a terminal of 80 columns."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence

from detectattn.report.cells import MISSING
from detectattn.report.columns import WIDTH, align, measure, wrap
from detectattn.report.explanation import Explanation, ModelExplained
from detectattn.results.explanation import MeanFigure
from detectattn.sources.naming import to_one_line

SHOWN = "*"
"""Beside the map that stands for its model."""


def render_terminal(
    explanation: Explanation, folder: str, outputs: Sequence[tuple[str, str]], next_step: str | None = None
) -> list[str]:
    """Lines for standard output: what was found, what to know about it, a line a model and map, what to open.

    Args:
        explanation: What was explained.
        folder: Its run folder. Where a path in it does not fit into a line, the folder stands on a line of its own.
        outputs: What to open in it, in order: a label of at most 9 letters and a path below the folder.
        next_step: What to type next.
    """
    blocks = (_findings(explanation), _caveats(explanation), _table(explanation), _paths(folder, outputs, next_step))
    lines: list[str] = []
    for block in blocks:
        found = list(block)
        if found and lines:
            lines.append("")
        lines += found
    return lines


def _findings(explanation: Explanation) -> Iterator[str]:
    for sentence in explanation.sentences:
        yield from wrap(to_one_line(sentence))


def _caveats(explanation: Explanation) -> Iterator[str]:
    for caveat in explanation.caveats:
        yield from wrap(to_one_line(caveat), first="note: ", rest="      ")


def _table(explanation: Explanation) -> Iterator[str]:
    """Only where there are scores: without them, maps cannot be ranked."""
    if not any(f.faithfulness is not None for model in explanation.models for f in model.methods):
        return
    header = ("map", "faithfulness", "in the box", "worth")
    rows = [row for model in explanation.models for row in _rows(model)]
    yield from align(header, rows, numbers=(1, 2))
    yield f"{SHOWN} shown in the sheets; faithfulness is insertion less deletion, higher is better"


def _rows(model: ModelExplained) -> Iterator[tuple[str, str, str, str]]:
    yield to_one_line(model.name), "", "", ""
    for f in model.methods:
        mark = SHOWN if f.method == model.default_method else " "
        inside = MISSING if math.isnan(f.energy.value) else f"{f.energy.value:.0%}"
        yield f"{mark} {f.method}", _interval(f.faithfulness), inside, f.worth


def _interval(figure: MeanFigure | None) -> str:
    if figure is None:
        return MISSING
    value = f"{figure.value:.2f}"
    ends = "" if math.isnan(figure.low) else f" ({figure.low:.2f} to {figure.high:.2f})"
    return f"{value}{ends}".replace("-", "−")


def _paths(folder: str, outputs: Sequence[tuple[str, str]], next_step: str | None) -> Iterator[str]:
    whole = [f"{label:<9} {to_one_line(os.path.join(folder, name))}" for label, name in outputs]  # noqa: PTH118
    if max(map(measure, whole), default=0) <= WIDTH:
        yield from whole
    else:
        yield to_one_line(folder)
        yield from (f"{label:<9} {name}" for label, name in outputs)
    if next_step is not None:
        yield f"next      {next_step}"
