"""The verdict: which questions a study answers, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from detectattn.compare.budget import parse_budget
from detectattn.compare.judge.score_words import is_unequal, tell_accuracy
from detectattn.compare.rules import ACCURACY_CONF
from detectattn.evaluation.verdict import (
    Candidate,
    choose_within,
    describe_agreement,
    describe_budget,
    describe_calibration,
    describe_classes,
    describe_errors,
    describe_speed,
    tell_doubt,
)
from detectattn.figures import format_accuracy, format_figure
from detectattn.report.content import AgreementReport, Difference, Judgement, ModelReport, Ratio, Sentence, Speed


def tell_verdict(
    models: Sequence[ModelReport],
    differences: Sequence[Difference],
    ratios: Sequence[Ratio],
    agreement: AgreementReport | None,
    budgets: Sequence[str],
) -> tuple[Sentence, ...]:
    """Every sentence, the most important first.

    With more than two models, the fastest is set against each of the others, and so is the most accurate.
    """
    finished = [m for m in models if m.status == "finished"]
    bases = [m for m in finished if m.base == m.name]
    return (
        *(_tell_budget(finished, text) for text in budgets),
        *_tell_speed(bases, ratios),
        *_tell_accuracy(bases, differences),
        *_tell_single(bases),
        *_tell_agreement(bases, agreement),
        *_tell_faults(bases),
    )


def _tell_budget(models: Sequence[ModelReport], text: str) -> Sentence:
    budget = parse_budget(text)
    candidates = [
        Candidate(
            m.name,
            m.speed.figures.p50_ms,
            (m.memory.peak_device_mb or m.memory.peak_rss_mb),
            None if m.judgement is None else m.judgement.accuracy.ap50_95,
        )
        for m in models
        if m.speed is not None and m.memory is not None
    ]
    chosen = choose_within(candidates, budget)
    named = () if chosen is None else (chosen.name,)
    doubt = _find_doubt([m.speed for m in models if m.speed is not None]) if budget.unit == "ms" else None
    # Which of several that fit is best stays open without ground truth; whether any fits does not.
    settled = chosen is not None or sum(c.cost(budget.unit) <= budget.limit for c in candidates) < 2
    return Sentence("budget", describe_budget(candidates, budget, doubt), named, settled)


def _tell_speed(bases: Sequence[ModelReport], ratios: Sequence[Ratio]) -> Iterator[Sentence]:
    timed = {m.name: m.speed for m in bases if m.speed is not None}
    if len(timed) < 2:
        return
    fastest = min(timed, key=lambda name: timed[name].figures.p50_ms)
    for ratio in ratios:
        names = (ratio.a, ratio.b)
        if ratio.figures.metric == "p50_ms" and fastest in names and set(names) <= set(timed):
            text = describe_speed(ratio.a, ratio.b, ratio.figures, _find_doubt([timed[n] for n in names]))
            yield Sentence("speed", text, names, ratio.figures.decided)


def _find_doubt(speeds: Sequence[Speed]) -> str | None:
    """The first reason not to trust timings."""
    return next((reason for speed in speeds for reason in speed.noise.reasons), None)


def _tell_accuracy(bases: Sequence[ModelReport], differences: Sequence[Difference]) -> Iterator[Sentence]:
    judged = _judgements(bases)
    if len(judged) < 2:
        return
    begins = {m.name: m.scores_from or ACCURACY_CONF for m in bases}
    overall = {(d.a, d.b): d for d in differences if _is_overall(d) and {d.a, d.b} <= set(judged)}
    best = _find_best(judged, overall.values())
    for (a, b), whole in overall.items():
        if best not in (a, b):
            continue
        text = tell_accuracy(whole, begins)
        yield Sentence("accuracy", text, (a, b), whole.figures.decided)
        by_class = [d.figures for d in differences if (d.a, d.b) == (a, b) and d.figures.class_name is not None]
        if len(by_class) > 1 and (whole.figures.decided or not is_unequal(whole, begins)):
            yield Sentence("classes", describe_classes(a, b, by_class), (a, b))


def _is_overall(difference: Difference) -> bool:
    return difference.figures.metric == "ap50_95" and difference.figures.class_name is None


def _find_best(judged: Mapping[str, Judgement], overall: Iterable[Difference]) -> str:
    """Who is behind least often, and of those has most AP: models whose scores begin apart have no AP in common."""
    behind = Counter(d.b if d.figures.difference > 0 else d.a for d in overall if d.figures.difference != 0)
    return min(judged, key=lambda name: (behind[name], -(judged[name].accuracy.ap50_95 or 0.0)))


def _tell_single(bases: Sequence[ModelReport]) -> Iterator[Sentence]:
    """What a model that stands alone takes and gives."""
    if len(bases) != 1:
        return
    model = bases[0]
    if model.speed is not None:
        figures = model.speed.figures
        doubt = _find_doubt([model.speed])
        caution = tell_doubt(doubt)
        text = (
            f"{model.name} takes {format_figure(figures.p50_ms)} ms an image, "
            f"one in twenty takes {format_figure(figures.p95_ms)} ms or more.{caution}"
        )
        yield Sentence("speed", text, (model.name,))
    if model.judgement is not None and model.judgement.accuracy.ap50_95 is not None:
        judged = model.judgement
        low, high = judged.ap50_95_low, judged.ap50_95_high
        interval = "" if low is None or high is None else f" ({format_accuracy(low)}–{format_accuracy(high)})"
        accuracy = judged.accuracy
        text = (
            f"{model.name} has AP {format_accuracy(accuracy.ap50_95 or 0.0)}{interval} "
            f"on {accuracy.object_count:,} objects in {accuracy.image_count:,} images."
        )
        yield Sentence("accuracy", text, (model.name,))


def _tell_agreement(bases: Sequence[ModelReport], agreement: AgreementReport | None) -> Iterator[Sentence]:
    """Only where there is no ground truth: who is right is the better question."""
    if agreement is not None and not _judgements(bases):
        for pair in agreement.pairs:
            yield Sentence("agreement", describe_agreement(pair), (pair.a, pair.b))


def _tell_faults(bases: Sequence[ModelReport]) -> Iterator[Sentence]:
    for name, judgement in _judgements(bases).items():
        yield Sentence("errors", describe_errors(name, judgement.errors), (name,))
    for name, judgement in _judgements(bases).items():
        yield Sentence("calibration", describe_calibration(name, judgement.calibration), (name,))


def _judgements(models: Sequence[ModelReport]) -> Mapping[str, Judgement]:
    """Of models that could be judged: where there is no object, there is no AP."""
    return {m.name: m.judgement for m in models if m.judgement is not None and m.judgement.accuracy.ap50_95 is not None}
