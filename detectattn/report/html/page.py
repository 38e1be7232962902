"""The page as a whole."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from markupsafe import Markup

import detectattn
from detectattn.report.content import Gate, Report
from detectattn.report.gallery import Gallery
from detectattn.report.html.accuracy import accuracy_section
from detectattn.report.html.blocks import Block, PlotView, Section
from detectattn.report.html.cards import Card, Finding, find_verdict, make_cards
from detectattn.report.html.conditions import conditions_section
from detectattn.report.html.embed import content_policy
from detectattn.report.html.explorer import explorer_data, render_explorer_json
from detectattn.report.html.figures import agreement_section, frontier_section, memory_section, speed_section
from detectattn.report.html.files import render_template
from detectattn.report.html.frame import embed_plots, join_style, read_scripts
from detectattn.report.html.parts import Part
from detectattn.report.html.view import Viewer, make_viewer
from detectattn.report.looks import find_looks
from detectattn.report.plots import build_plots
from detectattn.report.tables.top import tell_study, title_of

_HINT = (
    "Click a name in the legend to single its model out. Shift + wheel zooms, Shift + drag moves, double click resets."
)


@dataclass(frozen=True, slots=True)
class Page:
    """What the template shows.

    Attributes:
        title: What the study is called.
        about: What it is, in one line.
        created: When it was measured, ISO 8601.
        generator: This project and its version.
        interrupted: Whether models are missing.
        caveats: What to know before relying on anything here.
        leading: The sentences that a decision is made of.
        others: The other sentences of the verdict.
        gates: Conditions that the study had to meet, those that it fails first; empty without any.
        cards: A model each.
        frontier: The plot of time against accuracy or agreement; empty without one.
        before: Sections before the pictures.
        pictures: Whether there are pictures to browse.
        after: Sections after them.
        command: The command line that made the study.
        plots: What the plots are drawn from; None without plots.
        explorer_json: What the pictures are drawn from; None without pictures.
        style: Style sheet.
        scripts: By place: ``theme`` first of all, the others at the end.
        policy: What the page allows itself.
    """

    title: str
    about: str
    created: str
    generator: str
    interrupted: bool
    caveats: tuple[tuple[Part, ...], ...]
    leading: tuple[Finding, ...]
    others: tuple[Finding, ...]
    gates: tuple[Gate, ...]
    cards: tuple[Card, ...]
    frontier: tuple[Block, ...]
    before: tuple[Section, ...]
    pictures: bool
    after: tuple[Section, ...]
    command: str
    plots: Markup | None
    explorer_json: Markup | None
    style: Markup
    scripts: Mapping[str, Markup]
    policy: str


def render_page(report: Report, gallery: Gallery | None) -> str:
    """The text of the page; see :func:`detectattn.report.html.render_html`."""
    return render_template("page.html", make_page(report, gallery))


def make_page(report: Report, gallery: Gallery | None) -> Page:
    """Everything on the page, ready to be shown."""
    view = make_viewer(report, build_plots(report))
    browse = gallery is not None and bool(gallery.pictures)
    before, after = _make_sections(view, browse=browse)
    frontier = tuple(replace(block, hint=_HINT) for block in view.plot("frontier") if isinstance(block, PlotView))
    plots = embed_plots([*frontier, *(block for section in (*before, *after) for block in section.blocks)])
    scripts = read_scripts(with_plots=plots is not None, with_pictures=browse)
    leading, others = find_verdict(view)
    return Page(
        title=title_of(report),
        about=tell_study(report),
        created=report.created,
        generator=f"detectattn {detectattn.__version__}",
        interrupted=report.status == "interrupted",
        caveats=view.caveats("model", "images"),
        leading=leading,
        others=others,
        gates=tuple(sorted(report.gates, key=lambda gate: not gate.failed)),
        cards=make_cards(view),
        frontier=frontier,
        before=before,
        pictures=browse,
        after=after,
        command=shlex.join(report.command),
        plots=plots,
        explorer_json=_embed_pictures(gallery, report) if gallery is not None and browse else None,
        style=join_style(with_pictures=browse),
        scripts=scripts,
        policy=content_policy(scripts.values()),
    )


def _make_sections(view: Viewer, *, browse: bool) -> tuple[tuple[Section, ...], tuple[Section, ...]]:
    before = (
        speed_section(view),
        memory_section(view),
        accuracy_section(view),
        agreement_section(view, with_pictures=not browse),
        frontier_section(view),
    )
    return tuple(section for section in before if section is not None), (conditions_section(view),)


def _embed_pictures(gallery: Gallery, report: Report) -> Markup:
    return render_explorer_json(explorer_data(gallery, find_looks(report)))
