"""``changes.md``: what changed between two studies, as a page that reads well on GitHub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detectattn.report.changes import Changes, Picture
from detectattn.report.changes_cells import WEIGHTS, title_of_changes
from detectattn.report.content import Topic
from detectattn.report.markdown.text import DECIDED, Markdown, bullets, escape, show_cell, table
from detectattn.report.tables.changes import (
    MOST_LISTED,
    accuracy_change_table,
    changed_image_table,
    class_change_table,
    condition_change_table,
    detection_table,
    figure_table,
    picture_lists,
    picture_name,
    ranking_table,
    runs_table,
    speed_change_table,
    tell_unpaired,
)


def render_changes_markdown(changes: Changes) -> str:
    """The text of ``changes.md``."""
    blocks = [
        *_iter_top(changes),
        *_iter_accuracy(changes),
        *_iter_speed(changes),
        *_iter_rankings(changes),
        *_iter_detections(changes),
        *_iter_figures(changes),
        *_iter_conditions(changes),
    ]
    return "\n\n".join(blocks) + "\n"


def _iter_top(changes: Changes) -> Iterator[str]:
    yield f"# {escape(title_of_changes(changes))}"
    yield table(runs_table(changes))
    yield "## What changed"
    lines = (f"- **{WEIGHTS[f.weight]}**: {escape(f.text)}" for f in changes.findings)
    yield Markdown("\n".join(lines))
    yield from _notes(changes, "model", "images")


def _iter_accuracy(changes: Changes) -> Iterator[str]:
    shown = accuracy_change_table(changes)
    if shown is None:
        return
    yield "## Accuracy"
    yield from _notes(changes, "truth", "accuracy")
    yield f"AP and AP50, 0 to 1, with the 95% interval of the change; {DECIDED}:"
    yield table(shown)
    yield from map(escape, tell_unpaired(changes))
    for model in changes.models:
        if by_class := class_change_table(model):
            yield f"### {escape(by_class.caption)}"
            yield table(by_class)


def _iter_speed(changes: Changes) -> Iterator[str]:
    shown = speed_change_table(changes)
    if shown is None:
        return
    yield "## Speed"
    yield from _notes(changes, "speed")
    yield f"{shown.caption}. Above 1×, it became slower:"
    yield table(shown)


def _iter_rankings(changes: Changes) -> Iterator[str]:
    if shown := ranking_table(changes):
        yield "## One model against another"
        yield table(shown)


def _iter_detections(changes: Changes) -> Iterator[str]:
    shown = detection_table(changes)
    if shown is None:
        return
    yield "## Detections"
    yield f"{shown.caption}:"
    yield table(shown)
    for model in changes.models:
        if pictures := changed_image_table(model):
            yield f"### {escape(pictures.caption)}"
            yield table(pictures)


def _iter_figures(changes: Changes) -> Iterator[str]:
    tables = [shown for model in changes.models if (shown := figure_table(model))]
    if tables:
        yield "## Other figures"
    for shown in tables:
        yield f"{escape(shown.caption)}:"
        yield table(shown)


def _iter_conditions(changes: Changes) -> Iterator[str]:
    shown = condition_change_table(changes)
    yield "## Conditions"
    yield table(shown) if shown else "Nothing of what the runs record about their conditions changed."
    for title, pictures in picture_lists(changes):
        yield f"### {title}"
        yield _list_pictures(pictures)
    yield escape("Every figure, unrounded, is in changes.json, which lies beside this page.")


def _list_pictures(pictures: Sequence[Picture]) -> Markdown:
    lines = [f"- {show_cell(picture_name(picture))}" for picture in pictures[:MOST_LISTED]]
    if len(pictures) > MOST_LISTED:
        lines.append(f"- and {len(pictures) - MOST_LISTED:,} more, in `changes.json`")
    return Markdown("\n".join(lines))


def _notes(changes: Changes, *topics: Topic) -> Iterator[str]:
    found = [caveat.text for caveat in changes.caveats if caveat.topic in topics]
    if found:
        yield Markdown("\n".join(f"> {line}" for line in bullets(found).splitlines()))
