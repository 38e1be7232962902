"""Where models agree, and the pictures on which they do not."""

from __future__ import annotations

from dataclasses import replace

from detectattn.report.cells import count, share, share_interval
from detectattn.report.content import AgreementReport, DisputedImage, Report
from detectattn.report.tables.base import Cell, Code, Name, Table, make_table
from detectattn.results import PairAgreement

MOST_LISTED = 20
"""So many disputed pictures are listed."""


def tell_agreement(agreement: AgreementReport) -> str:
    """What agreement is; whole sentences."""
    left_out = f"; {count(agreement.images_left_out)} left out" if agreement.images_left_out else ""
    return (
        f"Boxes in {count(agreement.images)} pictures that all models have seen{left_out}, each model at its "
        "own operating point; of several that one model has of an object, one can be the other's, and the rest are its "
        "alone. Agreement is the F1 of one model against the other, whichever is taken as truth."
    )


def agreement_table(agreement: AgreementReport) -> Table:
    """How far every two models agree."""
    rows = [
        (
            Name(p.a),
            Name(p.b),
            *map(count, (p.both, p.only_a, p.only_b)),
            share_interval(p.agreement, p.low, p.high),
        )
        for p in agreement.pairs
    ]
    header = ("model", "other", "both have", "only the model", "only the other", "agreement (95% interval)")
    return make_table("agreement", "Boxes by who has them", header, rows, numbers=range(2, 6))


def class_agreement_table(pair: PairAgreement) -> Table:
    """The counts of one pair by class, those with most boxes first."""
    by_class = sorted(pair.per_class, key=lambda c: -(c.both + c.only_a + c.only_b))
    rows = [(c.class_name, count(c.both), count(c.only_a), count(c.only_b)) for c in by_class]
    header = ("class", "both have", f"only {pair.a}", f"only {pair.b}")
    return make_table("class-agreement", "Boxes by class and who has them", header, rows, numbers=range(1, 4))


def alone_table(agreement: AgreementReport) -> Table:
    """What each model finds alone."""
    rows = [(Name(name), count(number)) for name, number in agreement.alone.items()]
    header = ("model", "boxes that no other has")
    return make_table("alone", "What each model has alone", header, rows, numbers=(1,))


def disputed_table(report: Report) -> Table | None:
    """The most disputed pictures; None where there is none."""
    if not report.disputed:
        return None
    shown = report.disputed[:MOST_LISTED]
    names = list(shown[0].only)
    rows = [
        (
            str(rank),
            disputed_name(image),
            share(image.disagreement),
            count(image.all_find),
            *(count(image.only.get(name, 0)) for name in names),
        )
        for rank, image in enumerate(shown, start=1)
    ]
    header = ("", "picture", "disagreement", "all have", *(f"only {name}" for name in names))
    table = make_table("disputed", "Most disputed pictures", header, rows, numbers=(0, *range(2, len(header))))
    return replace(table, names_row=1)


def disputed_name(image: DisputedImage) -> Cell:
    """A picture as a table names it."""
    return (Code(image.source), f", frame {image.index}") if image.index else Code(image.source)
