"""The sections of figures, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from detectattn.report.cells import UNTRUSTED
from detectattn.report.content import DisputedImage
from detectattn.report.html.blocks import Block, Fold, Heading, Paragraph, PictureView, Section
from detectattn.report.html.parts import split_cell
from detectattn.report.html.view import Viewer
from detectattn.report.tables.agreement import (
    MOST_LISTED,
    agreement_table,
    alone_table,
    class_agreement_table,
    disputed_name,
    disputed_table,
    tell_agreement,
)
from detectattn.report.tables.frontier import UNBEATEN, frontier_table, gain_name
from detectattn.report.tables.speed import (
    latency_table,
    ratio_table,
    size_table,
    stages_table,
    tell_published,
    tell_timing,
    throughput_table,
    timed_models,
)

# Of the most disputed pictures; the rest is folded away.
_MOST_UNFOLDED = 10


def speed_section(view: Viewer) -> Section | None:
    """Time, throughput and what they are made of; None where nothing was timed and nothing is to be said of it."""
    caveats = view.caveats("speed", "pixels")
    timed = timed_models(view.report)
    if not timed and not caveats:
        return None
    lead = "How long an image takes from its encoded bytes to its boxes, where that time goes, and who is faster."
    return Section("speed", "Speed", lead, caveats, tuple(_iter_speed(view)) if timed else ())


def _iter_speed(view: Viewer) -> Iterator[Block]:
    timed = timed_models(view.report)
    doubted = any(not speed.noise.trusted for _, speed in timed)
    why = f"Grey and {UNTRUSTED}: not to be trusted; the reason is above." if doubted else None
    yield from view.plot("latency")
    yield from view.table(latency_table(timed), tell_timing(view.report.conditions), why)
    yield from view.table(ratio_table(view.report))
    yield from view.plot("stages")
    yield from view.table(stages_table(timed))
    yield from view.plot("batches")
    yield from view.table(throughput_table(timed))
    yield from view.other_plots("speed", ("latency", "stages", "batches"))


def memory_section(view: Viewer) -> Section | None:
    """Memory, size and energy; None where nothing of it is known."""
    blocks = (
        *view.other_plots("memory"),
        *view.table(size_table(view.report), tell_published(view.report), quiet=True),
    )
    lead = "What each model needs while it runs, how large it is, and what it draws where a meter can be read."
    return Section("memory", "Memory and size", lead, (), blocks) if blocks else None


def agreement_section(view: Viewer, *, with_pictures: bool) -> Section | None:
    """Where models find the same; None for a single one.

    Args:
        view: What is drawn on.
        with_pictures: Whether to show the models side by side on the most disputed pictures.
    """
    caveats = view.caveats("agreement")
    if view.report.agreement is None and not caveats:
        return None
    lead = "Where the models find the same and where they do not, whoever is right."
    return Section("agreement", "Agreement", lead, caveats, tuple(_iter_agreement(view, with_pictures=with_pictures)))


def _iter_agreement(view: Viewer, *, with_pictures: bool) -> Iterator[Block]:
    agreement = view.report.agreement
    if agreement is not None:
        yield Paragraph(tell_agreement(agreement))
        yield from view.other_plots("agreement")
        yield from view.table(agreement_table(agreement))
        if len(agreement.pairs) == 1:
            yield from view.table(class_agreement_table(agreement.pairs[0]))
        else:
            yield from view.table(alone_table(agreement))
    yield from _iter_disputed(view, with_pictures=with_pictures)


def _iter_disputed(view: Viewer, *, with_pictures: bool) -> Iterator[Block]:
    disputed = view.report.disputed
    if not disputed:
        return
    yield Heading("disputed", "Most disputed pictures")
    beyond = len(disputed) - MOST_LISTED
    more = f"And {beyond:,} more, in report.json and disputed/disputed.csv." if beyond > 0 else None
    listed = disputed_table(view.report)
    assert listed is not None
    first, rest = (replace(listed, rows=rows) for rows in (listed.rows[:_MOST_UNFOLDED], listed.rows[_MOST_UNFOLDED:]))
    if rest.rows:
        yield from view.table(first, quiet=True)
        after = replace(rest, name="disputed-rest", caption=f"{rest.caption}, from rank {_MOST_UNFOLDED + 1}")
        yield Fold(f"The next {len(rest.rows):,}", view.table(after, more, quiet=True))
    else:
        yield from view.table(first, more, quiet=True)
    drawn = [image for image in disputed[:MOST_LISTED] if image.picture is not None]
    if drawn and with_pictures:
        pictures = tuple(_view_picture(view, image) for image in drawn)
        yield Fold(f"The models side by side on {len(drawn):,} of them", pictures)


def _view_picture(view: Viewer, image: DisputedImage) -> PictureView:
    url = quote(image.picture or "", safe="/", errors="backslashreplace")
    alt = f"{image.source}, the models side by side"
    return PictureView(url, alt, split_cell(disputed_name(image), view.marks))


def frontier_section(view: Viewer) -> Section | None:
    """Time against what is got for it, as a table; None where there is no frontier. Its plot stands at the top."""
    frontier = view.report.frontier
    if frontier is None:
        return None
    gain = gain_name(frontier)
    lead = "What each model and variant gives for the time it takes; its plot is on the first screen."
    marked = (
        f"Marked {UNBEATEN} are those that no other beats: none is as fast with more {gain}, and none has as much "
        f"{gain} and is faster."
    )
    blocks = (*view.table(frontier_table(frontier), marked), *view.other_plots("frontier", ("frontier",)))
    return Section("frontier", "Frontier", lead, (), blocks)
