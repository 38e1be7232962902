"""What changed between two studies, in tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from detectattn.report.cells import MISSING, count, figure, share, share_interval
from detectattn.report.changes import Changes, ComparedRun, DetectionChange, ModelChange, Picture
from detectattn.report.changes_cells import (
    FIGURE_NAMES,
    OUTCOMES,
    decided_text,
    difference_text,
    figure_cells,
    ratio_text,
    standing_text,
    value_text,
)
from detectattn.report.tables.base import DECIDED_WHERE, Cell, Code, Name, Table, make_table

MOST_LISTED = 10
_METRICS = {"ap50_95": "AP", "ap50": "AP50"}
_TOPICS = {"truth": "ground truth"}


def runs_table(changes: Changes) -> Table:
    """Which two runs these are."""
    rows = [("before", *_run_cells(changes.before)), ("after", *_run_cells(changes.after))]
    header = ("", "run", "measured", "images", "records")
    return make_table("runs", "The two runs", header, rows, numbers=(3,))


def _run_cells(run: ComparedRun) -> tuple[Cell, ...]:
    when = MISSING if run.created is None else run.created.replace("T", " ").replace("+00:00", " UTC")
    return Code(run.run), when, count(run.images), "at hand" if run.records else "its figures alone"


def accuracy_change_table(changes: Changes) -> Table | None:
    """AP and AP50 of each model; None where no model has any."""
    rows = [
        (
            Name(model.name),
            _METRICS[d.metric],
            share(d.before),
            share(d.after),
            difference_text(d),
            decided_text(decided=d.decided, known=model.accuracy.paired and math.isfinite(d.difference)),
            count(d.images),
        )
        for model in changes.models
        if model.accuracy is not None
        for d in model.accuracy.differences
        if d.class_name is None
    ]
    if not rows:
        return None
    header = ("model", "", "before", "after", "change (95% interval)", "decided", "on images")
    caption = f"Accuracy before and after, 0 to 1; decided {DECIDED_WHERE}"
    table = make_table("accuracy", caption, header, rows, numbers=(2, 3, 4, 6))
    return replace(table, strong=frozenset(i for i, row in enumerate(rows) if row[5] == "yes"))


def tell_unpaired(changes: Changes) -> tuple[str, ...]:
    """Why accuracies have no interval; whole sentences."""
    reasons: dict[str, list[str]] = {}
    for model in changes.models:
        if model.accuracy is not None and model.accuracy.reason is not None:
            reasons.setdefault(model.accuracy.reason, []).append(model.name)
    return tuple(f"Not compared image by image ({', '.join(names)}): {reason}." for reason, names in reasons.items())


def class_change_table(model: ModelChange, place: int = 0) -> Table | None:
    """AP by class, the largest change first; None without classes.

    Args:
        model: Whose.
        place: Tells its tables from those of other models.
    """
    accuracy = model.accuracy
    found = [] if accuracy is None else [d for d in accuracy.differences if d.class_name is not None]
    if not found:
        return None
    ordered = sorted(found, key=lambda d: -abs(d.difference) if math.isfinite(d.difference) else 1.0)
    paired = accuracy is not None and accuracy.paired
    rows = [
        (
            d.class_name or "",
            share(d.before),
            share(d.after),
            difference_text(d),
            decided_text(decided=d.decided, known=paired and math.isfinite(d.difference)),
            count(d.images),
        )
        for d in ordered
    ]
    header = ("class", "AP before", "after", "change (95% interval)", "decided", "on images")
    table = make_table(f"classes-{place}", f"AP of {model.name} by class", header, rows, numbers=(1, 2, 3, 5))
    return replace(table, strong=frozenset(i for i, row in enumerate(rows) if row[4] == "yes"))


def speed_change_table(changes: Changes) -> Table | None:
    """Median times; None where nothing was timed."""
    rows = []
    for model in changes.models:
        speed = model.speed
        if speed is None:
            continue
        ratio = speed.ratio
        rows.append((
            Name(model.name),
            figure(speed.before_ms),
            figure(speed.after_ms),
            ratio_text(model),
            decided_text(decided=ratio is not None and ratio.decided, known=ratio is not None),
            f"{ratio.units_before} and {ratio.units_after} {ratio.unit}s" if ratio is not None else MISSING,
            speed.reason or MISSING,
        ))  # fmt: skip
    if not rows:
        return None
    header = ("model", "before (ms)", "after (ms)", "times what it took", "decided", "over", "not compared for")
    caption = "Median milliseconds an image, from its encoded bytes to its boxes, with 95% intervals"
    table = make_table("speed", caption, header, rows, numbers=(1, 2, 3), sparse=True)
    return replace(table, strong=frozenset(i for i, row in enumerate(rows) if row[4] == "yes"))


def ranking_table(changes: Changes) -> Table | None:
    """Who leads whom, before and after; None where no two models are in both."""
    if not changes.rankings:
        return None
    rows = [
        (
            "faster" if r.question == "speed" else "more accurate",
            Name(r.a),
            Name(r.b),
            standing_text(r.before, r),
            standing_text(r.after, r),
            OUTCOMES[r.outcome],
        )
        for r in changes.rankings
    ]
    header = ("which is", "of", "and", "before", "after", "outcome")
    table = make_table("rankings", "What each run says of two models", header, rows)
    news = frozenset(i for i, r in enumerate(changes.rankings) if r.outcome not in ("held", "open"))
    return replace(table, strong=news)


def detection_table(changes: Changes) -> Table | None:
    """What each model finds no more and anew; None without records."""
    rows = [
        (
            Name(model.name),
            count(d.images),
            *map(count, (d.both, d.only_before, d.only_after)),
            share_interval(d.agreement, d.low, d.high),
            share(d.score_before),
            share(d.score_after),
            "yes" if d.identical else "no",
        )
        for model in changes.models
        if (d := model.detections) is not None
    ]
    if not rows:
        return None
    header = (
        "model", "images", "found as before", "no more", "anew", "agreement (95% interval)", "from score",
        "after", "same boxes and scores",
    )  # fmt: skip
    caption = "Boxes by when a model has them, at its operating point of each run"
    return make_table("detections", caption, header, rows, numbers=range(1, 8))


def changed_image_table(model: ModelChange, place: int = 0) -> Table | None:
    """The pictures in which a model finds something else; None where there is none."""
    detections: DetectionChange | None = model.detections
    if detections is None or not detections.most_changed:
        return None
    rows = [
        (picture_name(Picture(i.source, i.index)), share(i.change), *map(count, (i.both, i.only_before, i.only_after)))
        for i in detections.most_changed[:MOST_LISTED]
    ]
    header = ("picture", "change", "found as before", "no more", "anew")
    caption = f"Pictures in which {model.name} changed most"
    return make_table(f"pictures-{place}", caption, header, rows, numbers=range(1, 5))


def figure_table(model: ModelChange, place: int = 0) -> Table | None:
    """Other figures that are not as they were; None where all are."""
    moved = [f for f in model.figures if f.before != f.after]
    if not moved:
        return None
    rows = [(FIGURE_NAMES.get(change.figure, change.figure), *figure_cells(change)) for change in moved]
    header = ("figure", "before", "after", "change")
    caption = f"Figures of {model.name} as each run has them, those that changed"
    return make_table(f"figures-{place}", caption, header, rows, numbers=(1, 2, 3))


def condition_change_table(changes: Changes) -> Table | None:
    """What is not as it was; None where all is."""
    rows = [
        (_TOPICS.get(c.topic, c.topic), c.what, *(_show(value_text(c, value)) for value in (c.before, c.after)))
        for c in changes.conditions
    ]
    if not rows:
        return None
    header = ("", "what", "before", "after")
    return replace(make_table("conditions", "Conditions that changed", header, rows), names_row=1)


def _show(text: str) -> Cell:
    return text if text == MISSING else Code(text)


def picture_lists(changes: Changes) -> Sequence[tuple[str, Sequence[Picture]]]:
    """Pictures that are not in both runs alike, under what they are; empty ones left out."""
    images = changes.images
    if images is None:
        return ()
    lists = (
        ("In the first run alone", images.removed),
        ("In the second run alone", images.added),
        ("Of another size", images.resized),
        ("With other ground truth", images.relabelled or ()),
    )
    return tuple((title, pictures) for title, pictures in lists if pictures)


def picture_name(picture: Picture) -> Cell:
    """A picture as a table names it."""
    return (Code(picture.source), f", frame {picture.index}") if picture.index else Code(picture.source)
