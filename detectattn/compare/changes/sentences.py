"""What became of a model, in sentences: the number, its interval, and whether it is more than chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from detectattn.compare.gate_values import format_apart
from detectattn.compare.same_conditions import MAX_MORE_MEMORY, MAX_SLOWER
from detectattn.evaluation.intervals import DECISION_CONFIDENCE
from detectattn.figures import format_about, format_accuracy, format_factors, format_figure, format_interval
from detectattn.report.changes import (
    AccuracyChange,
    AccuracyDifference,
    DetectionChange,
    FigureChange,
    Finding,
    SpeedChange,
    TimeRatio,
)

_CLASSES_NAMED = 3
_BOTH_SAW = "that both runs saw"


def tell_accuracy(name: str, change: AccuracyChange) -> Iterator[Finding]:
    """Whether a model became more accurate, and on which classes."""
    overall = next(d for d in change.differences if d.class_name is None and d.metric == "ap50_95")
    if not change.paired:
        yield Finding("accuracy", "open", _tell_unpaired(name, overall, change.reason or ""), (name,))
        return
    images = _count_images(change.images or 0)
    if not math.isfinite(overall.difference):
        text = f"Whether {name} became more accurate cannot be said: {images} {_BOTH_SAW} show no object."
        yield Finding("accuracy", "open", text, (name,))
        return
    yield _tell_paired(name, overall, images)
    by_class = [d for d in change.differences if d.class_name is not None]
    if len(by_class) > 1 and any(d.decided for d in by_class):
        yield _tell_classes(name, by_class)


def _tell_unpaired(name: str, d: AccuracyDifference, reason: str) -> str:
    if math.isfinite(d.before) and math.isfinite(d.after):
        before, after = format_apart(d.before, d.after, "")
        figures = f"AP {after}, {before} before"
    elif math.isfinite(d.before):
        figures = f"AP {format_accuracy(d.before)} before, none now"
    else:
        figures = f"AP {format_accuracy(d.after)}, none before"
    return f"{name} has {figures}; whether that is more than chance cannot be said: {reason}."


def _tell_paired(name: str, d: AccuracyDifference, images: str) -> Finding:
    if d.difference == 0:
        text = f"{name} is as accurate as before: AP {format_accuracy(d.after)} on {images} {_BOTH_SAW}."
        return Finding("accuracy", "same", text, (name,))
    gained = d.difference > 0
    low, high = (d.low, d.high) if gained else (-d.high, -d.low)
    by = f"{_size(d.difference)} AP ({format_interval(low, high)})"
    before, after = format_apart(d.before, d.after, "")
    figures = f"{after}, {before} before"
    if d.decided:
        verb = "gained" if gained else "lost"
        text = f"{name} {verb} {by}: decided on {images} {_BOTH_SAW}. AP is {figures}."
        return Finding("accuracy", "better" if gained else "worse", text, (name,))
    doubt = " beyond doubt" if d.low > 0 or d.high < 0 else ""
    text = (
        f"Whether {name} became {'more' if gained else 'less'} accurate is not decided{doubt}: {by} "
        f"{'more' if gained else 'less'} on {images} {_BOTH_SAW}; {_outlook(d)}. AP is {figures}."
    )
    return Finding("accuracy", "open", text, (name,))


def _tell_classes(name: str, differences: Sequence[AccuracyDifference]) -> Finding:
    decided = sorted((d for d in differences if d.decided), key=lambda d: -abs(d.difference))
    parts = []
    for verb, sign in (("lost", -1), ("gained", 1)):
        there = [d for d in decided if d.difference * sign > 0]
        named = [f"{d.class_name} ({_size(d.difference)})" for d in there[:_CLASSES_NAMED]]
        if len(there) > _CLASSES_NAMED:
            named.append(f"{len(there) - _CLASSES_NAMED:,} more")
        if named:
            parts.append(f"{verb} AP on {_enumerate(named)}")
    chance = round(len(differences) * (1 - DECISION_CONFIDENCE))
    caution = f" Of {len(differences)} classes, about {chance} would seem to change by chance." if chance else ""
    text = f"By class, {name} {' and '.join(parts)}: decided.{caution}"
    return Finding("classes", "worse" if any(d.difference < 0 for d in decided) else "better", text, (name,))


def tell_speed(name: str, change: SpeedChange) -> Finding | None:
    """Whether a model became faster; None where the times are not set against each other."""
    ratio, before, after = change.ratio, change.before_ms, change.after_ms
    if ratio is None or before is None or after is None:
        return None
    shown, other = format_apart(after, before, "ms")
    figures = f"{shown} an image, {other} before"
    slower = ratio.ratio >= 1
    factor, low, high = (
        (ratio.ratio, ratio.low, ratio.high) if slower else (1 / ratio.ratio, 1 / ratio.high, 1 / ratio.low)
    )
    factors = format_factors(factor, low, high, apart_from_one=low > 1)
    if ratio.decided:
        word = "slower" if slower else "faster"
        text = f"{name} became {factors[0]}× {word} ({factors[1]}–{factors[2]}): decided. It takes {figures}."
        return Finding("speed", "worse" if slower else "better", text, (name,))
    if ratio.ratio == 1:
        return Finding("speed", "same", f"{name} takes as long as before: {shown} an image.", (name,))
    text = (
        f"Whether {name} became {'slower' if slower else 'faster'} is not decided: {factors[0]}× "
        f"({factors[1]}–{factors[2]}), {figures}{_why_open(ratio)}."
    )
    return Finding("speed", "open", text, (name,))


def _why_open(ratio: TimeRatio) -> str:
    if not (ratio.low > 1 or ratio.high < 1):
        return ""
    if abs(math.log(ratio.ratio)) <= math.log1p(MAX_SLOWER):
        return "; equal runs of one machine can differ by as much"
    return "; rounds of one sitting cannot rule out that another would differ" if ratio.unit == "round" else ""


def tell_untimed(reason: str, names: Sequence[str]) -> Finding:
    """Why times are not set against each other."""
    return Finding("speed", "open", f"The times of {_enumerate(names)} are not compared: {reason}.", tuple(names))


def tell_memory(name: str, change: FigureChange) -> Finding | None:
    """Whether a model takes a tenth more memory, or less; None where it does not."""
    if change.ratio is None or change.before is None or change.after is None:
        return None
    if 1 / (1 + MAX_MORE_MEMORY) <= change.ratio <= 1 + MAX_MORE_MEMORY:
        return None
    grew = change.ratio > 1
    shown, before = format_apart(change.after, change.before, "MB")
    factor = format_figure(change.ratio if grew else 1 / change.ratio)
    text = f"{name} takes {factor}× {'more' if grew else 'less'} memory: {shown} at its peak, {before} before."
    return Finding("memory", "worse" if grew else "better", text, (name,))


def tell_detections(name: str, change: DetectionChange) -> Finding:
    """What a model finds no more and anew."""
    pictures = f"{_count_images(change.images)} {_BOTH_SAW}"
    boxes = change.both + change.only_before + change.only_after
    if change.identical and change.both == boxes:
        return Finding("detections", "same", f"{name} finds exactly the same in {pictures}.", (name,))
    if change.identical:
        then, now = format_apart(change.score_before, change.score_after, "")
        text = (
            f"In {pictures}, every box and score of {name} is as before; its operating point is not, {now} instead of "
            f"{then}: {change.only_before:,} boxes no more and {change.only_after:,} anew."
        )
        return Finding("detections", "changed", text, (name,))
    if boxes == 0:
        return Finding("detections", "same", f"{name} finds nothing in {pictures}, as before.", (name,))
    if change.both == boxes:
        text = f"{name} finds the same {boxes:,} boxes in {pictures}, with other boxes or scores."
        return Finding("detections", "same", text, (name,))
    known = math.isfinite(change.low)
    interval = f" ({format_accuracy(change.low)}–{format_accuracy(change.high)})" if known else ""
    text = (
        f"In {pictures}, {name} finds {change.both:,} boxes as before, {change.only_before:,} no more and "
        f"{change.only_after:,} anew: agreement {format_accuracy(change.agreement)}{interval}."
    )
    return Finding("detections", "changed", text, (name,))


def _outlook(d: AccuracyDifference) -> str:
    if d.images_to_decide is None:
        known = math.isfinite(d.standard_error)
        return "more than a million would be needed to tell" if known else "one says nothing about others"
    if d.images is not None and d.images_to_decide < 1.3 * d.images:
        return "a few more would tell"
    return f"about {format_about(d.images_to_decide)} would tell"


def _size(difference: float) -> str:
    return format_apart(abs(difference), 0.0, "")[0]


def _count_images(images: int) -> str:
    return "the one image" if images == 1 else f"the {images:,} images"


def _enumerate(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
