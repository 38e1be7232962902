"""The closing lines of a comparison of two studies, for a terminal of 80 columns."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from detectattn.report.cells import MISSING, count, figure, share, signed_share
from detectattn.report.changes import Changes, ModelChange
from detectattn.report.changes_cells import find_overall, value_text
from detectattn.report.columns import WIDTH, align, measure, shorten, wrap
from detectattn.sources.naming import to_one_line

_MOST_FINDINGS = 12
_MOST_NOTES = 6
_MOST_CONDITIONS = 6
_VALUE_WIDTH = 20
DECIDED = "*"


def render_changes_terminal(changes: Changes, folder: str) -> list[str]:
    """Lines for standard output: what changed, what to know about it, a line a model, conditions, what to open.

    Args:
        changes: The comparison.
        folder: Where its pages lie. A path is never broken, so that it can be copied: only lines that name one can be
            longer than 80 columns.
    """
    lines: list[str] = []
    for block in (_findings(changes), _notes(changes), _table(changes), _conditions(changes), _paths(folder)):
        found = list(block)
        if found and lines:
            lines.append("")
        lines += found
    return lines


def _findings(changes: Changes) -> Iterator[str]:
    for finding in changes.findings[:_MOST_FINDINGS]:
        yield from wrap(to_one_line(finding.text))
    if len(changes.findings) > _MOST_FINDINGS:
        yield f"{len(changes.findings) - _MOST_FINDINGS:,} more sentences are in changes.md."


def _notes(changes: Changes) -> Iterator[str]:
    for caveat in changes.caveats[:_MOST_NOTES]:
        yield from wrap(to_one_line(caveat.text), first="note: ", rest="      ")
    if len(changes.caveats) > _MOST_NOTES:
        yield f"note: {len(changes.caveats) - _MOST_NOTES:,} more to know, in changes.md."


def _table(changes: Changes) -> Iterator[str]:
    rows = [_row(model) for model in changes.models]
    kept = [c for c in range(len(_HEADER)) if c == 0 or any(row[c] != MISSING for row in rows)]
    if len(kept) < 2:
        return
    lines = _align(rows, kept)
    while max(map(measure, lines)) > WIDTH:
        kept.pop()
        lines = _align(rows, kept)
    yield from lines
    if any(row[c].endswith(DECIDED) for row in rows for c in kept[1:]):
        yield f"{DECIDED} decided: more than chance"


_HEADER = ("model", "AP", "after", "change", "p50 ms", "after", "times", "found", "lost", "new")


def _align(rows: Sequence[Sequence[str]], kept: Sequence[int]) -> list[str]:
    shown = [[row[c] for c in kept] for row in rows]
    return align([_HEADER[c] for c in kept], shown, numbers=range(1, len(kept)))


def _row(model: ModelChange) -> tuple[str, ...]:
    return to_one_line(model.name), *_accuracy_cells(model), *_speed_cells(model), *_detection_cells(model)


def _accuracy_cells(model: ModelChange) -> tuple[str, str, str]:
    ap = find_overall(model)
    if ap is None:
        return MISSING, MISSING, MISSING
    return share(ap.before), share(ap.after), _mark(signed_share(ap.difference), decided=ap.decided)


def _speed_cells(model: ModelChange) -> tuple[str, str, str]:
    speed = model.speed
    if speed is None:
        return MISSING, MISSING, MISSING
    ratio = speed.ratio
    times = MISSING if ratio is None else _mark(f"{figure(ratio.ratio)}×", decided=ratio.decided)
    return figure(speed.before_ms), figure(speed.after_ms), times


def _detection_cells(model: ModelChange) -> tuple[str, str, str]:
    found = model.detections
    if found is None:
        return MISSING, MISSING, MISSING
    return count(found.both), count(found.only_before), count(found.only_after)


def _mark(text: str, *, decided: bool) -> str:
    return f"{text}{DECIDED}" if decided else text


def _conditions(changes: Changes) -> Iterator[str]:
    said = [change for change in changes.conditions if change.topic != "command"]
    for change in said[:_MOST_CONDITIONS]:
        then, now = _shorten_apart(*(to_one_line(value_text(change, v)) for v in (change.before, change.after)))
        yield from wrap(f"{to_one_line(change.what)}: {then} → {now}", first="changed: ", rest="         ")
    if len(said) > _MOST_CONDITIONS:
        yield f"changed: {len(said) - _MOST_CONDITIONS:,} more, in changes.md."


def _shorten_apart(then: str, now: str) -> tuple[str, str]:
    """Both within the width of a value; of long paths what they share is cut off first."""
    if max(map(measure, (then, now))) > _VALUE_WIDTH:
        same = next((i for i, pair in enumerate(zip(then, now, strict=False)) if pair[0] != pair[1]), 0)
        shared = then.rfind("/", 0, same)
        if shared > 0:
            then, now = (f"…{text[shared:]}" for text in (then, now))
    return shorten(then, _VALUE_WIDTH), shorten(now, _VALUE_WIDTH)


def _paths(folder: str) -> Iterator[str]:
    outputs = (("page", "changes.html"), ("text", "changes.md"), ("figures", "changes.json"))
    whole = [f"{label:<9} {to_one_line(os.path.join(folder, name))}" for label, name in outputs]  # noqa: PTH118
    if max(map(measure, whole)) <= WIDTH:
        yield from whole
    else:
        yield to_one_line(folder)
        yield from (f"{label:<9} {name}" for label, name in outputs)
