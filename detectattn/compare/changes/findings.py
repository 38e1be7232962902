"""Which sentences the comparison says, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from detectattn.compare.changes.sentences import (
    tell_accuracy,
    tell_detections,
    tell_memory,
    tell_speed,
    tell_untimed,
)
from detectattn.report.changes import (
    ConditionChange,
    Finding,
    ModelChange,
    RankingChange,
    Weight,
    to_figures,
)
from detectattn.report.changes_cells import lead_text, leads

_ORDER: Sequence[Weight] = ("worse", "better", "changed", "open", "same")
_NEWS: Sequence[Weight] = ("worse", "better", "changed")
_DETAILS = frozenset({"classes", "detections"})
_QUESTIONS = ("models", "accuracy", "speed", "ranking", "classes", "memory", "detections", "conditions")
# What says how a study was made, and not under what conditions.
_RECORDED = frozenset({"command"})


def tell_findings(
    models: Sequence[ModelChange],
    gone: Sequence[str],
    new: Sequence[str],
    rankings: Sequence[RankingChange],
    conditions: Sequence[ConditionChange],
    comparable_memory: Mapping[str, str | None],
) -> tuple[Finding, ...]:
    """Every sentence, the most important first; at least one.

    Args:
        models: In both studies.
        gone: In the first alone.
        new: In the second alone.
        rankings: Questions that both asked.
        conditions: What is not as it was.
        comparable_memory: By model, why its memory cannot be compared; None where it can.
    """
    found = [
        *_tell_models(models, gone, new),
        *(
            replace(finding, models=(model.name,))
            for model in models
            for finding in _tell_model(model, comparable_memory.get(model.name))
        ),
        *_tell_untimed(models),
        *(finding for ranking in rankings for finding in _tell_ranking(ranking)),
    ]
    ordered = sorted(found, key=_rank)
    return (*_tell_nothing(ordered, models, conditions), *ordered)


def _rank(finding: Finding) -> tuple[int, int, int]:
    """News before what is open and what is as it was; whole models before their classes and single detections.

    Who took part comes after every answer that is open, and before what is as it was.
    """
    if finding.is_lineup:
        return (2, _ORDER.index("open"), len(_QUESTIONS))
    news = finding.weight in _NEWS
    detail = news and finding.question in _DETAILS
    return (
        (0 if news and not detail else 1 if detail else 2),
        _ORDER.index(finding.weight),
        _QUESTIONS.index(finding.question),
    )


def _tell_models(models: Sequence[ModelChange], gone: Sequence[str], new: Sequence[str]) -> Iterator[Finding]:
    for model in models:
        if model.status_before != model.status_after:
            failed = model.status_after == "failed"
            why = f": {model.error}" if model.error else ""
            text = f"{model.name} failed{why}." if failed else f"{model.name} finished, and had failed before."
            yield Finding("models", "worse" if failed else "better", text, (model.name,))
    if not models:
        yield Finding("models", "changed", "The runs have no model in common.")
    if gone:
        text = f"{_enumerate(gone)} {_is(gone)} in the first run alone."
        yield Finding("models", "changed", text, tuple(gone))
    if new:
        text = f"{_enumerate(new)} {_is(new)} in the second run alone."
        yield Finding("models", "changed", text, tuple(new))


def _tell_model(model: ModelChange, other_memory: str | None) -> Iterator[Finding]:
    # Whom a finding is about is its name of now; the sentence says both.
    name = model.name if model.name == model.before_name else f"{model.name} ({model.before_name} before)"
    if model.accuracy is not None:
        yield from tell_accuracy(name, model.accuracy)
    if model.speed is not None and (finding := tell_speed(name, model.speed)) is not None:
        yield finding
    figures = to_figures(model)
    device = figures.get("memory.peak_device_mb")
    memory = device if device is not None and device.ratio is not None else figures.get("memory.peak_rss_mb")
    if memory is not None and other_memory is None and (finding := tell_memory(name, memory)) is not None:
        yield finding
    if model.detections is not None:
        yield tell_detections(name, model.detections)


def _tell_untimed(models: Sequence[ModelChange]) -> Iterator[Finding]:
    by_reason: dict[str, list[str]] = {}
    for model in models:
        if model.speed is not None and model.speed.reason is not None:
            by_reason.setdefault(model.speed.reason, []).append(model.name)
    return (tell_untimed(reason, names) for reason, names in by_reason.items())


def _tell_ranking(ranking: RankingChange) -> Iterator[Finding]:
    if ranking.outcome == "open":
        return
    word = "faster" if ranking.question == "speed" else "more accurate"
    said = ranking.before if ranking.outcome == "unsettled" else ranking.after
    ahead, behind = (ranking.a, ranking.b) if leads(said, ranking.question) else (ranking.b, ranking.a)
    names = (ranking.a, ranking.b)
    then, now = (lead_text(standing, ranking.question) for standing in (ranking.before, ranking.after))
    if ranking.outcome == "held":
        text = f"{ahead} is still {word} than {behind}: {now}, {then} before."
        yield Finding("ranking", "same", text, names)
    elif ranking.outcome == "reversed":
        text = f"{ahead} is now {word} than {behind}: {now}. Before, {behind} was, {then}."
        yield Finding("ranking", "changed", text, names)
    elif ranking.outcome == "settled":
        yield Finding("ranking", "changed", f"It is decided now that {ahead} is {word} than {behind}: {now}.", names)
    else:
        text = f"It is no longer decided that {ahead} is {word} than {behind}: {now}, {then} before."
        yield Finding("ranking", "changed", text, names)


def _tell_nothing(
    found: Sequence[Finding], models: Sequence[ModelChange], conditions: Sequence[ConditionChange]
) -> Iterator[Finding]:
    """Where nothing is decided, that is the news."""
    if any(finding.weight in _NEWS and not finding.is_lineup for finding in found):
        return
    detected = [model.detections for model in models]
    identical = bool(detected) and all(d is not None and d.identical for d in detected)
    other = [change for change in conditions if change.topic not in _RECORDED]
    if identical and not other and any(finding.is_lineup for finding in found):
        text = "Every detection of the models in both runs is the same, under the same conditions."
        yield Finding("conditions", "same", text)
        return
    if identical and not other and any(finding.weight == "open" for finding in found):
        text = "Every detection is the same, under the same conditions; no change in time is decided."
        yield Finding("conditions", "same", text)
    elif identical and not other:
        yield Finding("conditions", "same", "Nothing changed: same conditions, and every detection is the same.")
    elif identical:
        yield Finding("conditions", "same", "Every detection is the same; conditions changed that show in none.")
    else:
        yield Finding("conditions", "open", "No change is decided.")


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _enumerate(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
