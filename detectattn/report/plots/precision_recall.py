"""What precision costs in recall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectattn.report.cells import share
from detectattn.report.content import Judgement, Report
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast, find_cast, find_finished
from detectattn.report.plots.choice import choose, only_chosen
from detectattn.report.plots.names import clean_name, join_clauses, label_names
from detectattn.report.plots.spec import Row, Spec, fade, make_layer, make_view, pick, quantity, tidy, tips
from detectattn.results import PrecisionRecall

_HEIGHT = 360
_MOST_CLASSES = 80
# Points of all curves together; curves get as many each as this leaves.
_MOST_POINTS = 8000
# Recall and precision of curves are held in thousandths.
_PARTS = 1000
_ALL = "all classes (mean)"

F64 = NDArray[np.float64]


def plot_precision_recall(report: Report) -> Plot | None:
    """Precision against recall by model, for all classes and for each; None without ground truth."""
    judged = [(m.name, m.judgement) for m in find_finished(report) if m.judgement is not None]
    if not judged:
        return None
    classes = _choose_classes(judged)
    known = {name for _, own in judged for name in own.precision_recall.class_names}
    rest = (
        f" {len(known) - len(classes):,} classes with fewer objects are left out." if len(known) > len(classes) else ""
    )
    iou = judged[0][1].precision_recall.iou_threshold
    return Plot(
        name="precision-recall",
        section="accuracy",
        title="How many objects can be found, and how many alarms are false?",
        caption=(
            f"Precision against recall at IoU {iou:g}; up and to the right is better. Marks are what each model's own "
            f"operating point gives, for all classes over all detections, so that it may lie off the curve.{rest}"
        ),
        alt=_describe(judged),
        spec=_draw(judged, classes, find_cast(report)),
    )


_Judged = Sequence[tuple[str, Judgement]]


def _choose_classes(judged: _Judged) -> list[str]:
    """Classes with the most objects."""
    objects: dict[str, int] = {}
    for _, own in judged:
        for name in own.precision_recall.class_names:
            figures = own.accuracy.per_class.get(name)
            objects[name] = max(objects.get(name, 0), 0 if figures is None else figures.object_count)
    return sorted(objects, key=lambda name: -objects[name])[:_MOST_CLASSES]


def _draw(judged: _Judged, classes: Sequence[str], cast: Cast) -> Spec:
    names = [name for name, _ in judged]
    most = max(8, _MOST_POINTS // (len(names) * (len(classes) + 1)))
    curves, marks = [], []
    for name, own in judged:
        pr = own.precision_recall
        who = {"model": cast.label(name), "name": clean_name(name), "dash": cast.dash_of(name)}
        curves.append(who | {"choice": 0} | _curve(pr.recall, pr.precision, 101))
        marks += _mark(own.at_conf.recall, own.at_conf.precision, own.at_conf.score, who | {"choice": 0})
        for number, class_name in enumerate(classes, start=1):
            if class_name not in pr.class_names:
                continue
            place = pr.class_names.index(class_name)
            curve = _curve(pr.recall, pr.class_precision[place], most)
            if curve["x"]:
                curves.append(who | {"choice": number} | curve)
            marks += _class_mark(pr, place, own.at_conf.score, who | {"choice": number})
    x = quantity("x", {"domain": [0, 1]}, {"title": "recall: objects found (0 to 1)", "tickCount": 6})
    y = quantity(
        "y",
        {"domain": [0, 1.02], "nice": False},
        {"title": "precision: detections that are right (0 to 1)", "tickCount": 6},
    )
    color = cast.color(names)
    line = make_layer(
        "line", curves, {"x": x, "y": y, "color": color, "strokeDash": cast.dash(names), "opacity": fade()},
        interpolate="step-before",
    )  # fmt: skip
    tooltip = tips(("model", "name"), ("scores from", "conf"), ("precision", "precision"), ("recall", "recall"))
    point = make_layer(
        "point", marks, {"x": x, "y": y, "color": color, "shape": cast.shape(names), "opacity": fade(),
         "tooltip": tooltip},
        size=120,
    )  # fmt: skip
    steps = [{"flatten": ["x", "y"]}, *({"calculate": f"datum.{key} / {_PARTS}", "as": key} for key in "xy")]
    line = only_chosen({**line, "transform": steps, "params": [pick("model")]})
    labels = label_names(classes, 40, reserved=[_ALL])
    return make_view(
        [line, only_chosen(point)], height=_HEIGHT, params=choose([_ALL, *(labels[name] for name in classes)], "class")
    )


def _curve(recall: F64, precision: F64, most: int) -> Row:
    """Where a curve changes, down to where it ends, at most about ``most`` points."""
    reached = np.flatnonzero(np.nan_to_num(precision) > 0)
    if len(reached) == 0:
        return {"x": [], "y": []}
    end = reached[-1] + 1
    r, p = recall[:end], np.round(precision[:end], 3)
    # Steps run backwards: a point holds for the recalls before it, so the last of equals says all.
    kept = np.append(p[1:] != p[:-1], True)
    kept[0] = True
    places = np.flatnonzero(kept)
    if len(places) > most:
        places = places[np.unique(np.linspace(0, len(places) - 1, most).round().astype(int))]
    # As whole numbers they take half of the room.
    return {key: np.round(v[places] * _PARTS).astype(int).tolist() for key, v in (("x", r), ("y", p))}


def _mark(recall: float, precision: float, score: float, row: Row) -> list[Row]:
    if not (np.isfinite(recall) and np.isfinite(precision)):
        return []
    shown = {"conf": share(score), "precision": share(precision), "recall": share(recall)}
    return [{**row, **shown, "x": tidy(recall, 4), "y": tidy(precision, 4)}]


def _class_mark(pr: PrecisionRecall, place: int, score: float, row: Row) -> list[Row]:
    """The last point of a class whose detection still has the score."""
    kept = np.flatnonzero(np.nan_to_num(pr.class_score[place], nan=-1.0) >= score)
    if len(kept) == 0:
        return []
    return _mark(float(pr.recall[kept[-1]]), float(pr.class_precision[place, kept[-1]]), score, row)


def _describe(judged: _Judged) -> str:
    parts = [
        f"{clean_name(name, 60)} keeps scores from {share(own.at_conf.score)}: precision "
        f"{share(own.at_conf.precision)}, recall {share(own.at_conf.recall)}, AP50 {share(own.accuracy.ap50)}"
        for name, own in judged
    ]
    return f"Precision against recall. {join_clauses(parts)}."
