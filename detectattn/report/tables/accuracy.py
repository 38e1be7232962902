"""What ground truth says of each model and each pair."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from detectattn.report.cells import (
    METRIC_NAMES,
    MISSING,
    base_models,
    count,
    difference_row,
    images_to_decide,
    share,
    share_interval,
)
from detectattn.report.content import Difference, Judgement, Report
from detectattn.report.tables.base import DECIDED_WHERE, Name, Table, make_table

Judged = Sequence[tuple[str, Judgement]]
"""Names of models, and what ground truth says of each."""


def judged_models(report: Report) -> Judged:
    """Models that were judged, variants included."""
    return [(model.name, model.judgement) for model in report.models if model.judgement is not None]


def judged_bases(report: Report) -> Judged:
    """The same without variants."""
    return [(model.name, model.judgement) for model in base_models(report) if model.judgement is not None]


def metrics_table(report: Report, judged: Judged) -> Table:
    """AP and AR of all sizes, published AP beside them."""
    published = {m.name: None if m.size is None else m.size.published_ap50_95 for m in report.models}
    header = ("model", "AP", "AP50", "AP75", "AR1", "AR10", "AR100", "published AP")
    rows = []
    for name, own in judged:
        a = own.accuracy
        ap = share_interval(a.ap50_95, own.ap50_95_low, own.ap50_95_high)
        rows.append((Name(name), ap, *map(share, (a.ap50, a.ap75, a.ar_1, a.ar_10, a.ar_100)), share(published[name])))
    caption = "COCO's metrics, 0 to 1; in brackets the 95% interval over images"
    return make_table("metrics", caption, header, rows, numbers=range(1, len(header)), sparse=True)


def tell_published_ap(report: Report) -> str | None:
    """On what published AP is; None where none is shown."""
    if all(m.size is None or m.size.published_ap50_95 is None for m in report.models):
        return None
    return "Published AP is on COCO val2017, on other images and classes than these."


def sizes_table(judged: Judged) -> Table:
    """AP and AR by the objects' size."""
    rows = [
        (Name(name), *map(share, (a.ap_small, a.ap_medium, a.ap_large, a.ar_small, a.ar_medium, a.ar_large)))
        for name, own in judged
        for a in [own.accuracy]
    ]
    header = ("model", "AP small", "AP medium", "AP large", "AR small", "AR medium", "AR large")
    return make_table("sizes", "COCO's metrics by the size of objects", header, rows, numbers=range(1, len(header)))


SIZES_NOTE = "Small is up to 32² pixels of area, medium up to 96², large above."


def tell_undefined(judged: Judged) -> str | None:
    """Why metrics are missing; None where none is."""
    reasons = dict.fromkeys(reason for _, own in judged for reason in own.accuracy.undefined.values())
    return f"{MISSING} where {'; '.join(reasons)}." if reasons else None


def difference_table(report: Report) -> Table | None:
    """Differences in AP and AP50 of every pair; None where there is none."""
    overall = [d for d in report.differences if d.figures.class_name is None]
    if not overall:
        return None
    header = (
        "metric", "more accurate", "less accurate", "has", "against", "difference", "decided", "on images",
        "images that would decide",
    )  # fmt: skip
    rows = [
        (
            METRIC_NAMES.get(difference.figures.metric, difference.figures.metric),
            *_pair_cells(difference),
            difference_row(difference).decided,
            count(difference.figures.images),
            images_to_decide(difference),
        )
        for difference in overall
    ]
    caption = f"Differences with their 95% intervals over images; decided {DECIDED_WHERE}"
    return make_table("differences", caption, header, rows, numbers=(3, 4, 5, 7, 8))


def class_differences(report: Report) -> Sequence[Difference]:
    """Differences on a single class, of any pair."""
    return [d for d in report.differences if d.figures.class_name is not None]


def class_difference_table(found: Iterable[Difference]) -> Table:
    """Differences on a class that are decided, the largest first."""
    decided = sorted((d for d in found if d.figures.decided), key=lambda d: -abs(d.figures.difference))
    rows = [(d.figures.class_name or "", *_pair_cells(d)) for d in decided]
    header = ("class", "more accurate", "less accurate", "has", "against", "difference")
    caption = "Differences on a class that are decided"
    return make_table("class-differences", caption, header, rows, numbers=(3, 4, 5))


def _pair_cells(difference: Difference) -> tuple[str, ...]:
    row = difference_row(difference)
    return Name(row.better), Name(row.worse), row.value_better, row.value_worse, row.gain


def class_table(judged: Judged) -> Table | None:
    """AP of every class, those with most objects first; None without classes."""
    objects = {name: a.object_count for _, own in judged for name, a in own.accuracy.per_class.items()}
    if not objects:
        return None
    rows = [
        (
            name,
            count(number),
            *(share(None if (a := own.accuracy.per_class.get(name)) is None else a.ap50_95) for _, own in judged),
        )
        for name, number in sorted(objects.items(), key=lambda item: -item[1])
    ]
    header = ("class", "objects", *(f"AP of {name}" for name, _ in judged))
    return make_table("classes", "AP by class", header, rows, numbers=range(1, len(header)))


def all_class_differences_table(found: Sequence[Difference]) -> Table:
    """Differences on a class, decided or not, the largest first; what does not exist last."""
    ordered = sorted(found, key=lambda d: -abs(d.figures.difference) if _exists(d) else 0.0)
    rows = [
        (d.figures.class_name or "", *_pair_cells(d), difference_row(d).decided, count(d.figures.images))
        for d in sorted(ordered, key=lambda d: not _exists(d))
    ]
    header = ("class", "more accurate", "less accurate", "has", "against", "difference", "decided", "on images")
    table = make_table("all-class-differences", "Differences in AP on every class", header, rows, numbers=(3, 4, 5, 7))
    return replace(table, strong=frozenset(i for i, row in enumerate(rows) if row[6] == "yes"))


def _exists(difference: Difference) -> bool:
    return math.isfinite(difference.figures.difference)
