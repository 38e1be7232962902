"""What models get wrong, whether their scores mean what they say, and from what score on to keep detections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from detectattn.report.cells import MISSING, count, share, signed_share
from detectattn.report.content import Judgement
from detectattn.report.tables.accuracy import Judged
from detectattn.report.tables.base import Name, Table, make_table
from detectattn.results import Calibration, ErrorCost, OperatingPoint

MOST_CONFUSIONS = 5
"""So many a model are listed."""
CALIBRATION_NOTE = "Whether scores mean what they say: of 100 detections with score 0.8, 80 should be right."

BACKGROUND = "nothing"
"""What stands for background in the table of all confusions."""

_MOST_OF_ALL = 300
_CONFUSION_HEADER = ("model", "what it is", "what it was called", "times")
_ERRORS = {
    "classification": "wrong class",
    "localisation": "wrong place",
    "both": "both wrong",
    "duplicate": "duplicate",
    "background": "nothing there",
    "missed": "missed",
}
# Recalls at which a curve is written out.
_RECALLS = range(0, 101, 10)


def error_table(judged: Judged) -> Table:
    """TIDE's kinds of error."""
    rows = [
        (Name(name), *(_cost(getattr(own.errors, kind)) for kind in _ERRORS), share(own.errors.ap50))
        for name, own in judged
    ]
    header = ("model", *_ERRORS.values(), "AP50 (TIDE)")
    caption = (
        "How many errors of each kind, and in brackets what AP50 would gain without them; TIDE's AP50 is of the "
        "100 best detections of an image, where COCO's takes 100 of each class"
    )
    return make_table("errors", caption, header, rows, numbers=range(1, len(header)))


def _cost(cost: ErrorCost) -> str:
    return f"{count(cost.count)} ({share(cost.ap_lost)})"


def confusion_table(judged: Judged) -> Table | None:
    """What objects were most often taken for, background aside; None where nothing was taken for anything else."""
    rows = [
        (Name(name), *row)
        for name, own in judged
        for row in _list_confusions(own.confusion.counts[:-1, :-1], own.confusion.class_names, MOST_CONFUSIONS)
    ]
    caption = "What was taken for something else, most often first"
    return make_table("confusions", caption, _CONFUSION_HEADER, rows, numbers=(3,)) if rows else None


def all_confusion_table(judged: Judged) -> Table | None:
    """The cells of the confusion matrix, background included, most often first; None where it is empty."""
    rows = []
    for name, own in judged:
        c = own.confusion
        found = _list_cells(c.counts, (*c.class_names, BACKGROUND), _MOST_OF_ALL)
        rows += [(Name(name), *row) for row in found]
    caption = "What was called what at the operating point of this study, missed objects and background included"
    return make_table("all-confusions", caption, _CONFUSION_HEADER, rows, numbers=(3,)) if rows else None


def _list_confusions(counts: NDArray[np.int64], names: Sequence[str], most: int) -> Iterator[tuple[str, str, str]]:
    wrong = np.array(counts)
    np.fill_diagonal(wrong, 0)
    return _list_cells(wrong, names, most)


def _list_cells(counts: NDArray[np.int64], names: Sequence[str], most: int) -> Iterator[tuple[str, str, str]]:
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    for what, called in zip(*np.unravel_index(order, counts.shape), strict=True):
        if counts[what, called]:
            yield names[what], names[called], count(int(counts[what, called]))


def calibration_table(judged: Judged) -> Table:
    """How far scores are from the share that is right."""
    header = (
        "model", "error", "by chance alone", "at most by chance", "score less precision", "miscalibrated", "detections",
    )  # fmt: skip
    rows = []
    for name, own in judged:
        c = own.calibration
        judgement = MISSING if c.count == 0 else "yes" if c.miscalibrated else "no"
        shares = (share(c.error), share(c.perfect_error), share(c.perfect_error_high), signed_share(c.overconfidence))
        rows.append((Name(name), *shares, judgement, count(c.count)))
    return make_table("calibration", "Calibration", header, rows, numbers=(1, 2, 3, 4, 6))


def reliability_table(judged: Judged) -> Table | None:
    """The reliability curve, a row a bin that holds detections; None where no model has any."""
    rows = [(Name(name), *row) for name, own in judged for row in _list_bins(own.calibration)]
    if not rows:
        return None
    header = ("model", "scores", "detections", "mean score", "right", "95% interval")
    caption = "The share that is right among detections of about one score"
    return make_table("reliability", caption, header, rows, numbers=range(1, len(header)))


def _list_bins(calibration: Calibration) -> Iterator[tuple[str, ...]]:
    for b in calibration.bins:
        if b.count:
            interval = f"{share(b.precision_low)}–{share(b.precision_high)}"
            scores = f"{b.score_low:.1f}–{b.score_high:.1f}"
            yield scores, count(b.count), share(b.mean_score), share(b.precision), interval


def operating_point_table(judged: Judged) -> Table:
    """Precision and recall at the points that a person would choose from."""
    rows = [(Name(name), label, *_point(point)) for name, own in judged for label, point in _label_points(own)]
    header = ("model", "point", "score", "precision", "recall", "F1", "AP of what is kept")
    caption = "What is kept from some score on, at IoU 0.5"
    return make_table("operating-points", caption, header, rows, numbers=range(2, len(header)))


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


def precision_table(judged: Judged) -> Table:
    """The precision-recall curve of all classes at every tenth recall."""
    header = ("model", *(f"{recall / 100:.1f}" for recall in _RECALLS))
    rows = [
        (Name(name), *(share(float(own.precision_recall.precision[recall])) for recall in _RECALLS))
        for name, own in judged
    ]
    caption = "Precision by recall at IoU 0.5, the mean over classes"
    return make_table("precision-recall", caption, header, rows, numbers=range(1, len(header)))
