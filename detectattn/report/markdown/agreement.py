"""Where models agree, and the pictures on which they do not."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.report.cells import count, share, share_interval
from detectattn.report.content import AgreementReport, DisputedImage, Report
from detectattn.report.markdown.text import Markdown, caveats, code, escape, picture, table

_MOST_LISTED = 20


def iter_agreement(report: Report) -> Iterator[str]:
    """The section on agreement."""
    notes = caveats(report, "agreement")
    if report.agreement is None and not notes:
        return
    yield "## Agreement"
    yield from notes
    if report.agreement is not None:
        yield from _agreement(report.agreement)
    yield from _disputed(report)


def _agreement(agreement: AgreementReport) -> Iterator[str]:
    left_out = f"; {count(agreement.images_left_out)} left out" if agreement.images_left_out else ""
    yield escape(
        f"Objects found in {count(agreement.images)} pictures that all models have seen{left_out}, each model at its "
        "own operating point. Agreement is the F1 of one model against the other, whichever is taken as truth."
    )
    rows = [
        (p.a, p.b, count(p.both), count(p.only_a), count(p.only_b), share_interval(p.agreement, p.low, p.high))
        for p in agreement.pairs
    ]
    header = ("model", "other", "both find", "only the model", "only the other", "agreement (95% interval)")
    yield table(header, rows, numbers=range(2, 6))
    if len(agreement.pairs) == 1:
        [pair] = agreement.pairs
        by_class = sorted(pair.per_class, key=lambda c: -(c.both + c.only_a + c.only_b))
        classes = [(c.class_name, count(c.both), count(c.only_a), count(c.only_b)) for c in by_class]
        yield table(("class", "both find", f"only {pair.a}", f"only {pair.b}"), classes, numbers=range(1, 4))
    else:
        alone = [(name, count(number)) for name, number in agreement.alone.items()]
        yield table(("model", "objects that no other finds"), alone, numbers=(1,))


def _disputed(report: Report) -> Iterator[str]:
    if not report.disputed:
        return
    yield "### Most disputed pictures"
    shown = report.disputed[:_MOST_LISTED]
    names = list(shown[0].only)
    rows = [
        (
            str(rank),
            _name(image),
            share(image.disagreement),
            count(image.all_find),
            *(count(image.only.get(name, 0)) for name in names),
        )
        for rank, image in enumerate(shown, start=1)
    ]
    header = ("", "picture", "disagreement", "all find", *(f"only {name}" for name in names))
    yield table(header, rows, numbers=(0, *range(2, len(header))))
    if len(report.disputed) > len(shown):
        yield f"And {len(report.disputed) - len(shown):,} more, in `report.json` and `disputed/disputed.csv`."
    for rank, image in enumerate(shown, start=1):
        if image.picture is not None:
            yield f"{rank}\\. {_name(image)}"
            yield picture(image.picture, f"{image.source}, the models side by side")


def _name(image: DisputedImage) -> Markdown:
    return Markdown(f"{code(image.source)}{f', frame {image.index}' if image.index else ''}")
