"""The page of an explanation as a whole."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

import detectattn
from detectattn.report.cells import count
from detectattn.report.explanation import Explanation, PictureExplained
from detectattn.report.html.blocks import Section
from detectattn.report.html.cards import Card
from detectattn.report.html.embed import content_policy, embed_json, embed_script
from detectattn.report.html.explanation.assets import read_explanation_script, read_explanation_style
from detectattn.report.html.explanation.cards import make_model_cards
from detectattn.report.html.explanation.data import explanation_data
from detectattn.report.html.explanation.paths import name_picture, to_url
from detectattn.report.html.explanation.sections import Meaning, list_meanings, reading_section, truth_section
from detectattn.report.html.explanation.words import MEASURES
from detectattn.report.html.files import render_template
from detectattn.report.html.frame import embed_plots, join_style, read_scripts
from detectattn.report.html.marks import make_marks
from detectattn.report.html.parts import Part
from detectattn.report.html.view import Layout
from detectattn.report.looks import assign_looks
from detectattn.report.plots.faithfulness import build_explanation_plots

_MOST_LEADING = 3
# Where a sentence's answer ends and its figures begin; not after a number, whose point is followed by digits.
_BREAK = re.compile(r"(?<=[:;.?])\s")


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence: its answer, and how it goes on."""

    head: tuple[Part, ...]
    rest: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A file beside the page."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class FilesOf:
    """What lies beside the page of one picture.

    Attributes:
        name: The picture.
        shown: Whether the page shows it.
        sheet: Its sheet; None where none was drawn.
        arrays: Its arrays, a model each.
    """

    name: str
    shown: bool
    sheet: Link | None
    arrays: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class ExplanationPage:
    """What the template shows.

    Attributes:
        title: What the page is called.
        about: What was explained, in one line.
        created: When, ISO 8601.
        generator: This project and its version.
        leading: The sentences that are shown large.
        others: The other sentences.
        caveats: What to know before relying on anything here.
        cards: A model each.
        before: Sections before the pictures: none.
        pictures: Whether there are pictures to browse.
        after: Sections after them.
        meanings: What the methods' maps mean.
        measures: Of each measure, its name, what it is and what it hides.
        files: What lies beside the page.
        command: The command line that made it.
        plots: What the plots are drawn from; None without plots.
        explanation_json: What the pictures are drawn from.
        style: Style sheet.
        scripts: By place.
        policy: What the page allows itself.
    """

    title: str
    about: str
    created: str
    generator: str
    leading: tuple[Told, ...]
    others: tuple[tuple[Part, ...], ...]
    caveats: tuple[tuple[Part, ...], ...]
    cards: tuple[Card, ...]
    before: tuple[Section, ...]
    pictures: bool
    after: tuple[Section, ...]
    meanings: tuple[Meaning, ...]
    measures: tuple[tuple[str, str, str], ...]
    files: tuple[FilesOf, ...]
    command: str
    plots: Markup | None
    explanation_json: Markup
    style: Markup
    scripts: Mapping[str, Markup]
    policy: str


def render_page(explanation: Explanation) -> str:
    """The text of the page; see :func:`detectattn.report.html.explanation.render_explanation`."""
    return render_template("explanation.html", make_page(explanation))


def make_page(explanation: Explanation) -> ExplanationPage:
    """Everything on the page, ready to be shown."""
    marks = make_marks(assign_looks({model.name: model.family for model in explanation.models}))
    plots = {plot.name: plot for plot in build_explanation_plots(explanation)}
    view = Layout((), marks, plots)
    after = (truth_section(explanation, view), reading_section(explanation, view))
    drawn = embed_plots(block for section in after for block in section.blocks)
    browse = any(picture.jpeg is not None for picture in explanation.pictures)
    scripts = read_scripts(with_plots=drawn is not None, with_pictures=False)
    if browse:
        scripts["explanation"] = embed_script(read_explanation_script())
    names = [model.name for model in explanation.models]
    leading = _choose_leading(explanation)
    return ExplanationPage(
        title=f"Where {_join(names)} {'looks' if len(names) == 1 else 'look'}",
        about=_tell_run(explanation),
        created=explanation.created,
        generator=f"detectattn {detectattn.__version__}",
        leading=tuple(_tell(sentence, names, view) for sentence in leading),
        others=tuple(view.tell(sentence, names) for sentence in explanation.sentences if sentence not in leading),
        caveats=tuple(view.tell(caveat, names) for caveat in explanation.caveats),
        cards=make_model_cards(explanation, view),
        before=(),
        pictures=browse,
        after=after,
        meanings=list_meanings(explanation, view),
        measures=MEASURES,
        files=tuple(_list_files(picture) for picture in explanation.pictures),
        command=shlex.join(explanation.command),
        plots=drawn,
        explanation_json=embed_json(explanation_data(explanation, view.marks) if browse else {}),
        style=Markup("\n").join((join_style(with_pictures=False), Markup(read_explanation_style()))),  # noqa: S704
        scripts=scripts,
        policy=content_policy(scripts.values()),
    )


def _choose_leading(explanation: Explanation) -> tuple[str, ...]:
    """The sentences that are shown large: how every two models differ, and those that answer a question."""
    models = len(explanation.models)
    first = max(1, min(_MOST_LEADING, models * (models - 1) // 2))
    return tuple(s for n, s in enumerate(explanation.sentences) if n < first or "? " in s)


def _tell(sentence: str, names: list[str], view: Layout) -> Told:
    head, *others = _BREAK.split(sentence, maxsplit=1)
    if not others:
        return Told(view.tell(head, names), ())
    rest = others[0] if others[0].startswith(tuple(names)) else others[0][:1].upper() + others[0][1:]
    return Told(view.tell(f"{head[:-1]}." if head[-1] in ":;" else head, names), view.tell(rest, names))


def _tell_run(explanation: Explanation) -> str:
    pictures = len(explanation.pictures)
    objects = sum(len(picture.objects) for picture in explanation.pictures)
    parts = (
        f"{count(pictures)} {'picture' if pictures == 1 else 'pictures'}",
        f"{count(objects)} {'object' if objects == 1 else 'objects'}",
        explanation.created[:10],
    )
    return " · ".join(parts)


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "detectors"


def _list_files(picture: PictureExplained) -> FilesOf:
    return FilesOf(
        name_picture(picture),
        picture.jpeg is not None,
        None if picture.sheet is None else Link(to_url(picture.sheet), picture.sheet),
        tuple(Link(to_url(path), model) for model, path in picture.arrays.items()),
    )
