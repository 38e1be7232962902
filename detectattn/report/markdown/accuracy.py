"""What ground truth says of each model and each pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from detectattn.report.cells import (
    METRIC_NAMES,
    MISSING,
    base_models,
    count,
    difference_row,
    images_to_decide,
    share,
    share_interval,
    signed_share,
)
from detectattn.report.content import Judgement, Report
from detectattn.report.markdown.text import DECIDED, caveats, escape, table
from detectattn.results import ErrorCost, OperatingPoint

_MOST_CONFUSIONS = 5
_ERRORS = {
    "classification": "wrong class",
    "localisation": "wrong place",
    "both": "both wrong",
    "duplicate": "duplicate",
    "background": "nothing there",
    "missed": "missed",
}

_Judged = Sequence[tuple[str, Judgement]]


def iter_accuracy(report: Report) -> Iterator[str]:
    """The section on accuracy; without ground truth, what there is to say about that."""
    judged = [(model.name, model.judgement) for model in report.models if model.judgement is not None]
    bases = {model.name for model in base_models(report)}
    notes = caveats(report, "truth", "classes", "accuracy", "queries")
    if not judged and not notes:
        return
    yield "## Accuracy"
    yield from notes
    if not judged:
        return
    yield from _metrics(report, judged)
    yield from _differences(report)
    yield from _classes(report, [(name, own) for name, own in judged if name in bases])
    yield from _class_differences(report)
    yield from _errors(judged)
    yield from _confusions([(name, own) for name, own in judged if name in bases])
    yield from _calibration(judged)
    yield from _operating_points(judged)


def _metrics(report: Report, judged: _Judged) -> Iterator[str]:
    published = {m.name: None if m.size is None else m.size.published_ap50_95 for m in report.models}
    yield "COCO's metrics, 0 to 1; in brackets the 95% interval over images:"
    header = ("model", "AP", "AP50", "AP75", "AR1", "AR10", "AR100", "published AP")
    rows = []
    for name, own in judged:
        a = own.accuracy
        ap = share_interval(a.ap50_95, own.ap50_95_low, own.ap50_95_high)
        rows.append((name, ap, *map(share, (a.ap50, a.ap75, a.ar_1, a.ar_10, a.ar_100)), share(published[name])))
    yield table(header, rows, numbers=range(1, len(header)), sparse=True)
    if any(value is not None for value in published.values()):
        yield "Published AP is on COCO val2017, on other images and classes than these."
    yield "### By size"
    sizes = [
        (name, *map(share, (a.ap_small, a.ap_medium, a.ap_large, a.ar_small, a.ar_medium, a.ar_large)))
        for name, own in judged
        for a in [own.accuracy]
    ]
    by_size = ("model", "AP small", "AP medium", "AP large", "AR small", "AR medium", "AR large")
    yield table(by_size, sizes, numbers=range(1, len(by_size)))
    yield "Small is up to 32² pixels of area, medium up to 96², large above."
    reasons = dict.fromkeys(reason for _, own in judged for reason in own.accuracy.undefined.values())
    if reasons:
        yield escape(f"{MISSING} where {'; '.join(reasons)}.")


def _differences(report: Report) -> Iterator[str]:
    overall = [d for d in report.differences if d.figures.class_name is None]
    if not overall:
        return
    yield "### Differences"
    yield f"Differences with their 95% intervals over images; {DECIDED}:"
    rows = []
    for difference in overall:
        row = difference_row(difference)
        metric = METRIC_NAMES.get(difference.figures.metric, difference.figures.metric)
        needed = images_to_decide(difference)
        values = (row.value_better, row.value_worse, row.gain)
        rows.append((metric, row.better, row.worse, *values, row.decided, count(difference.figures.images), needed))
    header = (
        "metric", "more accurate", "less accurate", "has", "against", "difference", "decided", "on images",
        "images that would decide",
    )  # fmt: skip
    yield table(header, rows, numbers=(3, 4, 5, 7, 8))


def _classes(report: Report, judged: _Judged) -> Iterator[str]:
    objects = {name: a.object_count for _, own in judged for name, a in own.accuracy.per_class.items()}
    if not objects:
        return
    yield "### By class"
    rows = [
        (
            name,
            count(number),
            *(share(None if (a := own.accuracy.per_class.get(name)) is None else a.ap50_95) for _, own in judged),
        )
        for name, number in sorted(objects.items(), key=lambda item: -item[1])
    ]
    header = ("class", "objects", *(f"AP of {name}" for name, _ in judged))
    yield table(header, rows, numbers=range(1, len(header)))


def _class_differences(report: Report) -> Iterator[str]:
    by_class = [d for d in report.differences if d.figures.class_name is not None]
    if not by_class:
        return
    decided = sorted((d for d in by_class if d.figures.decided), key=lambda d: -abs(d.figures.difference))
    if not decided:
        yield "No difference on a single class is decided."
        return
    yield f"Differences on a class that are decided, {len(decided):,} of {len(by_class):,}:"
    rows = []
    for difference in decided:
        row = difference_row(difference)
        name = difference.figures.class_name or ""
        rows.append((name, row.better, row.worse, row.value_better, row.value_worse, row.gain))
    yield table(("class", "more accurate", "less accurate", "has", "against", "difference"), rows, numbers=(3, 4, 5))


def _errors(judged: _Judged) -> Iterator[str]:
    yield "### Errors"
    yield "How many errors of each kind, and in brackets what AP50 would gain without them:"
    rows = [
        (name, *(_cost(getattr(own.errors, kind)) for kind in _ERRORS), share(own.errors.ap50)) for name, own in judged
    ]
    yield table(("model", *_ERRORS.values(), "AP50"), rows, numbers=range(1, len(_ERRORS) + 2))


def _cost(cost: ErrorCost) -> str:
    return f"{count(cost.count)} ({share(cost.ap_lost)})"


def _confusions(judged: _Judged) -> Iterator[str]:
    """What objects were most often taken for, background aside."""
    rows = []
    for name, own in judged:
        counts = np.array(own.confusion.counts[:-1, :-1])
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")[:_MOST_CONFUSIONS]
        for what, called in zip(*np.unravel_index(order, counts.shape), strict=True):
            if counts[what, called]:
                names = own.confusion.class_names
                rows.append((name, names[what], names[called], count(int(counts[what, called]))))
    if rows:
        yield "What was taken for something else, most often first:"
        yield table(("model", "what it is", "what it was called", "times"), rows, numbers=(3,))


def _calibration(judged: _Judged) -> Iterator[str]:
    yield "### Calibration"
    yield "Whether scores mean what they say: of 100 detections with score 0.8, 80 should be right."
    header = (
        "model",
        "error",
        "by chance alone",
        "at most by chance",
        "score less precision",
        "miscalibrated",
        "detections",
    )
    rows = []
    for name, own in judged:
        c = own.calibration
        judgement = MISSING if c.count == 0 else "yes" if c.miscalibrated else "no"
        shares = (share(c.error), share(c.perfect_error), share(c.perfect_error_high), signed_share(c.overconfidence))
        rows.append((name, *shares, judgement, count(c.count)))
    yield table(header, rows, numbers=(1, 2, 3, 4, 6))


def _operating_points(judged: _Judged) -> Iterator[str]:
    yield "### Operating points"
    yield "What is kept from some score on, at IoU 0.5:"
    rows = [(name, label, *_point(point)) for name, own in judged for label, point in _label_points(own)]
    header = ("model", "point", "score", "precision", "recall", "F1", "AP of what is kept")
    yield table(header, rows, numbers=range(2, len(header)))


def _label_points(own: Judgement) -> Iterator[tuple[str, OperatingPoint | None]]:
    """Each point once, by all that it is."""
    points = [("of this study", own.at_conf), ("best F1", own.best_f1)]
    if own.precision is not None:
        points.append((f"precision at least {share(own.precision)}", own.equal_precision))
    labels: dict[OperatingPoint | None, list[str]] = {}
    for label, point in points:
        labels.setdefault(point, []).append(label)
    return ((", ".join(named), point) for point, named in labels.items())


def _point(point: OperatingPoint | None) -> tuple[str, ...]:
    if point is None:
        return (MISSING,) * 5
    return (*map(share, (point.score, point.precision, point.recall, point.f1)), share(point.ap50_95))
