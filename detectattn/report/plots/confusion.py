"""What objects are taken for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectattn.report.cells import count, share
from detectattn.report.content import Report
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast, find_cast, find_finished
from detectattn.report.plots.choice import choose, only_chosen
from detectattn.report.plots.names import clean_name, join_clauses, label_names
from detectattn.report.plots.spec import Row, Spec, make_layer, make_view, text_channel
from detectattn.results import ConfusionMatrix

_MOST_CLASSES = 25
_MISSED, _NOTHING, _OTHERS = "missed", "nothing there", "other classes"
# A count is written where its cell has this much room.
_NUMBER_PX = 27
# Shares above are drawn in the end of the scale that stands out from the ground.
_MIDDLE = 0.45

I64 = NDArray[np.int64]


def plot_confusion(report: Report) -> Plot | None:
    """The confusion matrix of each model; None without ground truth."""
    judged = [(m.name, m.judgement.confusion) for m in find_finished(report) if m.judgement is not None]
    judged = [(name, own) for name, own in judged if own.class_names and own.counts.sum() > 0]
    if not judged:
        return None
    classes = _choose_classes([own for _, own in judged])
    every = {name for _, own in judged for name in own.class_names}
    rest = f" The {len(classes)} classes with the most objects; the other {len(every) - len(classes):,} are pooled."
    return Plot(
        name="confusion",
        section="errors",
        title="What are objects taken for?",
        caption=(
            "Rows are what is there, columns what it was called, at each model's operating point and IoU "
            f"{judged[0][1].iou_threshold:g}; the shade is the share of its row, the number how many."
            f"{rest if len(every) > len(classes) else ''}"
        ),
        alt=_describe(judged),
        spec=_draw(judged, classes, pooled=len(every) > len(classes), cast=find_cast(report)),
    )


def _choose_classes(matrices: Sequence[ConfusionMatrix]) -> list[str]:
    """Classes with the most objects, those first."""
    objects: dict[str, int] = {}
    for own in matrices:
        for name, number in zip(own.class_names, own.counts[:-1].sum(axis=1).tolist(), strict=True):
            objects[name] = max(objects.get(name, 0), number)
    return sorted(objects, key=lambda name: -objects[name])[:_MOST_CLASSES]


def _draw(judged: Sequence[tuple[str, ConfusionMatrix]], classes: Sequence[str], *, pooled: bool, cast: Cast) -> Spec:
    ends = [_OTHERS] if pooled else []
    labels = label_names(classes, 18, reserved=(_OTHERS, _MISSED, _NOTHING))
    shown = [labels[name] for name in classes]
    what = [*shown, *ends, _NOTHING]
    called = [*shown, *ends, _MISSED]
    rows = [_cells(number, _pool(own, classes, pooled=pooled)) for number, (_, own) in enumerate(judged)]
    side = max(22, min(44, 440 // len(what)))
    cells = _look_up(only_chosen(make_layer("rect", rows, _encoding(what, called), style="block")), what, called)
    where = {k: v for k, v in _encoding(what, called).items() if k in {"x", "y", "tooltip"}}
    text = {**where, "text": {"field": "n", "type": "quantitative", "format": ",d"}}
    room = {"expr": f"width < {_NUMBER_PX * len(called)} ? 0 : 1"}
    numbers = [
        _look_up(only_chosen(make_layer("text", rows, text, style=style, opacity=room)), what, called, condition)
        for style, condition in (("low", f"datum.s <= {_MIDDLE}"), ("high", f"datum.s > {_MIDDLE}"))
    ]
    layers = [cells, *numbers]
    params = choose([cast.label(name) for name, _ in judged], "model")
    return make_view(layers, height=side * len(what), params=params)


def _encoding(what: Sequence[str], called: Sequence[str]) -> Spec:
    band = {"paddingInner": 0, "paddingOuter": 0}
    # Upright labels need the least room beside one another.
    angle = -40 if len(called) <= 8 else -90
    slanted = {
        "title": "called",
        "labelAngle": angle,
        "labelLimit": 140,
        "orient": "bottom",
        "labelOverlap": angle == -90,
    }
    return {
        "x": {**text_channel("called"), "scale": {"domain": list(called), **band}, "axis": slanted, "title": "called"},
        "y": {
            **text_channel("what"), "scale": {"domain": list(what), **band},
            "axis": {"title": None, "labelLimit": 140, "labelOverlap": False},
        },
        "color": {
            "field": "s", "type": "quantitative", "scale": {"domain": [0, 1]},
            "legend": {
                "title": "share of the row", "orient": "top", "gradientLength": 110, "gradientThickness": 8,
                "titleOrient": "left", "values": [0, 0.5, 1],
            },
        },
        "tooltip": [
            {**text_channel("what"), "title": "is"}, {**text_channel("called"), "title": "called"},
            {"field": "n", "type": "quantitative", "title": "how many", "format": ",d"},
            {"field": "s", "type": "quantitative", "title": "share of the row", "format": ".1%"},
        ],
    }  # fmt: skip


def _pool(own: ConfusionMatrix, classes: Sequence[str], *, pooled: bool) -> I64:
    """Counts by the chosen classes; what belongs to others together before the last row and column."""
    size = len(classes) + pooled + 1
    place = {name: i for i, name in enumerate(classes)}
    # The class after the chosen ones takes those that are not among them.
    to = np.array([*(place.get(name, len(classes)) for name in own.class_names), size - 1])
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, (to[:, None], to[None, :]), own.counts)
    return counts


def _cells(number: int, counts: I64) -> Row:
    """Lists of what a matrix holds but zeros: row, column, count and share of the row."""
    total = counts.sum(axis=1)
    what, called = np.nonzero(counts)
    n = counts[what, called]
    return {
        "choice": number,
        "t": what.tolist(),
        "c": called.tolist(),
        "n": n.tolist(),
        "s": [round(v, 3) for v in (n / total[what]).tolist()],
    }


def _look_up(layer: Spec, what: Sequence[str], called: Sequence[str], only: str = "true") -> Spec:
    """A mark for each cell that fulfils a condition, with names for the indices of rows and columns."""
    steps = [*layer.get("transform", ()), {"flatten": ["t", "c", "n", "s"]}, {"filter": only}]
    for index, field, names in (("t", "what", what), ("c", "called", called)):
        entries = [{"i": i, field: name} for i, name in enumerate(names)]
        steps.append({"lookup": index, "from": {"data": {"values": entries}, "key": "i", "fields": [field]}})
    return {**layer, "transform": steps}


def _describe(judged: Sequence[tuple[str, ConfusionMatrix]]) -> str:
    parts = []
    for name, own in judged:
        objects = int(own.counts[:-1].sum())
        right = int(np.trace(own.counts[:-1, :-1]))
        missed, alarms = int(own.counts[:-1, -1].sum()), int(own.counts[-1].sum())
        part = (
            f"{clean_name(name, 60)}, scores from {share(own.score)}: of {count(objects)} objects {count(right)} "
            f"right, {count(missed)} missed; {count(alarms)} detections where nothing is"
        )
        off = np.array(own.counts[:-1, :-1])
        np.fill_diagonal(off, 0)
        if off.any():
            what, called = np.unravel_index(int(off.argmax()), off.shape)
            names = own.class_names
            taken, what_for = clean_name(names[what], 40), clean_name(names[called], 40)
            part += f"; most often mistaken: {taken} for {what_for}, {count(int(off.max()))} times"
        parts.append(part)
    return f"What objects are taken for. {join_clauses(parts)}."
