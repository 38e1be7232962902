"""``changes.html``: what changed between two studies, as one page that opens anywhere without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

import detectattn
from detectattn.report.changes import Changes, Finding, Picture, Question, Weight
from detectattn.report.changes_cells import WEIGHTS, title_of_changes
from detectattn.report.content import Topic
from detectattn.report.html.blocks import Block, Fold, Section
from detectattn.report.html.cards import split_answer
from detectattn.report.html.embed import content_policy
from detectattn.report.html.files import render_template
from detectattn.report.html.frame import embed_plots, join_style, read_scripts
from detectattn.report.html.marks import make_marks
from detectattn.report.html.parts import Part
from detectattn.report.html.view import Layout
from detectattn.report.looks import assign_looks
from detectattn.report.plots.changes import build_change_plots
from detectattn.report.tables.base import DECIDED_WHERE, Table, make_table
from detectattn.report.tables.changes import (
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

_MOST_LEADING = 4
_LEADING: frozenset[Question] = frozenset({"models", "accuracy", "speed", "memory", "ranking", "conditions"})
_MOST_PICTURES = 200
_QUESTIONS: dict[Question, str] = {
    "models": "Models",
    "accuracy": "Accuracy",
    "classes": "Classes",
    "speed": "Speed",
    "memory": "Memory",
    "ranking": "Ranking",
    "detections": "Detections",
    "conditions": "Overall",
}
# As the style sheet calls them.
_STATES: dict[Weight, str] = {"worse": "failed", "better": "decided", "changed": "", "open": "open", "same": ""}
_BREAKS = (": ", "; ")


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence on what changed.

    Attributes:
        question: What it answers.
        state: How it is marked, as the style sheet calls it; may be empty.
        label: The same in a word.
        head: How the sentence begins.
        rest: How it goes on.
    """

    question: str
    state: str
    label: str
    head: tuple[Part, ...]
    rest: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """What the template shows.

    Attributes:
        title: What was compared.
        about: The two runs, in one line.
        generator: This project and its version.
        leading: The sentences that matter most.
        others: The other sentences.
        caveats: What to know before relying on anything here.
        before: Sections, all of them: the bar that pages share names those before pictures and those after.
        after: None.
        pictures: Whether there are pictures to browse: not here.
        plots: What the plots are drawn from; None without plots.
        style: Style sheet.
        scripts: By place.
        policy: What the page allows itself.
    """

    title: str
    about: str
    generator: str
    leading: tuple[Line, ...]
    others: tuple[Line, ...]
    caveats: tuple[tuple[Part, ...], ...]
    before: tuple[Section, ...]
    after: tuple[Section, ...]
    pictures: bool
    plots: Markup | None
    style: Markup
    scripts: dict[str, Markup]
    policy: str


def render_changes_html(changes: Changes) -> str:
    """The text of ``changes.html``: style, scripts and plots within it. The same comparison gives the same text."""
    return render_template("changes.html", _make_page(changes))


def _make_page(changes: Changes) -> ChangesPage:
    families = {model.name: model.family for model in changes.models}
    plots = {plot.name: plot for plot in build_change_plots(changes)}
    view = Layout(changes.caveats, make_marks(assign_looks(families)), plots)
    sections = tuple(section for section in _iter_sections(changes, view) if section is not None)
    drawn = embed_plots(block for section in sections for block in section.blocks)
    scripts = read_scripts(with_plots=drawn is not None, with_pictures=False)
    leading = _choose_leading(changes)
    return ChangesPage(
        title=title_of_changes(changes),
        about=f"From {changes.before.run} to {changes.after.run}",
        generator=f"detectattn {detectattn.__version__}",
        leading=tuple(_tell(finding, view) for finding in leading),
        others=tuple(_tell(finding, view) for finding in changes.findings if finding not in leading),
        caveats=view.caveats("model", "images"),
        before=sections,
        after=(),
        pictures=False,
        plots=drawn,
        style=join_style(with_pictures=False),
        scripts=scripts,
        policy=content_policy(scripts.values()),
    )


def _choose_leading(changes: Changes) -> tuple[Finding, ...]:
    """The sentences that are shown large: what is decided or another fact; the first alone where nothing is.

    Which models took part is no news of how good any of them is.
    """
    told = (f for f in changes.findings if f.question in _LEADING and not f.is_lineup)
    news = [f for f in told if f.weight in ("worse", "better", "changed")]
    return tuple(news[:_MOST_LEADING]) or changes.findings[:1]


def _tell(finding: Finding, view: Layout) -> Line:
    head, rest = split_answer(view.tell(finding.text, finding.models), _BREAKS)
    return Line(_QUESTIONS[finding.question], _STATES[finding.weight], WEIGHTS[finding.weight], head, rest)


def _iter_sections(changes: Changes, view: Layout) -> Iterator[Section | None]:
    models = list(enumerate(changes.models))
    accuracy = accuracy_change_table(changes)
    yield _section(
        view, "accuracy", "Accuracy", "Whether each model became more accurate, image by image where that can be told.",
        (
            *view.plot("changes-accuracy"),
            *view.table(accuracy, *tell_unpaired(changes)),
            *_fold(view, [class_change_table(model, place) for place, model in models]),
        ),
        ("truth", "accuracy"),
    )  # fmt: skip
    yield _section(
        view, "speed", "Speed", "How long an image took before and takes after. Above 1×, it became slower.",
        (*view.plot("changes-speed"), *view.table(speed_change_table(changes))),
        ("speed",),
    )  # fmt: skip
    yield _section(
        view, "rankings", "One against another", "What each run says of two models, and whether it still holds.",
        view.table(ranking_table(changes), quiet=True),
    )  # fmt: skip
    yield _section(
        view, "detections", "Detections", "What each model finds as before, no more, and anew in the same pictures.",
        (
            *view.table(detection_table(changes)),
            *_fold(view, [changed_image_table(model, place) for place, model in models]),
        ),
    )  # fmt: skip
    yield _section(
        view, "figures", "Other figures", "Whatever else each run measured, where it is not what it was.",
        _fold(view, [figure_table(model, place) for place, model in models]),
    )  # fmt: skip
    yield _conditions(changes, view)


def _section(
    view: Layout, anchor: str, title: str, lead: str, blocks: Sequence[Block], topics: Sequence[Topic] = ()
) -> Section | None:
    return Section(anchor, title, lead, view.caveats(*topics), tuple(blocks)) if blocks else None


def _fold(view: Layout, tables: Sequence[Table | None]) -> tuple[Fold, ...]:
    return tuple(Fold(shown.caption, view.table(shown, quiet=True)) for shown in tables if shown is not None)


def _conditions(changes: Changes, view: Layout) -> Section:
    lead = "The two runs, and what is not the same about them. "
    changed = condition_change_table(changes)
    if changed is None:
        lead += "Nothing of what they record about their conditions changed. "
    lead += f"Decided, on this page, is what chance is ruled out for: {DECIDED_WHERE.removeprefix('where ')}."
    lists = (_fold_pictures(view, title, found, n) for n, (title, found) in enumerate(picture_lists(changes)))
    blocks: tuple[Block, ...] = (
        *view.table(runs_table(changes)),
        *view.table(changed),
        *(fold for folds in lists for fold in folds),
    )
    return Section("conditions", "Conditions", lead, (), blocks)


def _fold_pictures(view: Layout, title: str, pictures: Sequence[Picture], number: int) -> tuple[Fold, ...]:
    rows = [(picture_name(picture),) for picture in pictures[:_MOST_PICTURES]]
    if len(pictures) > _MOST_PICTURES:
        rows.append((f"and {len(pictures) - _MOST_PICTURES:,} more, in changes.json",))
    table = make_table(f"images-{number}", title, ("picture",), rows)
    return (Fold(f"{title}: {len(pictures):,}", view.table(table, quiet=True)),)
