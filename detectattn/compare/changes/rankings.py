"""What both studies say of the same two models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from detectattn.compare.changes.side import Side
from detectattn.compare.gate_values import number, section, to_list, to_text
from detectattn.compare.same_conditions import find_noise
from detectattn.report.changes import Outcome, RankingChange, Standing
from detectattn.report.changes_cells import leads

_Question = Literal["speed", "accuracy"]
_METRICS: Mapping[str, tuple[_Question, str]] = {"p50_ms": ("speed", "ratio"), "ap50_95": ("accuracy", "difference")}


def compare_rankings(before: Side, after: Side, names: Mapping[str, str]) -> tuple[RankingChange, ...]:
    """Questions that both studies asked of two models, those on time first.

    Args:
        before: The first study.
        after: The second.
        names: What each model of the second is called in the first.
    """
    then = dict(_iter_standings(before))
    return tuple(
        RankingChange(question, a, b, earlier, standing, _tell_outcome(earlier, standing, question))
        for (question, a, b), standing in _iter_standings(after)
        if a in names and b in names and (earlier := _look_up(then, question, names[a], names[b])) is not None
    )


_Key = tuple[_Question, str, str]


def _iter_standings(side: Side) -> Iterator[tuple[_Key, Standing]]:
    for pair in to_list(side.content.get("pairs")):
        if isinstance(pair, dict) and to_text(pair.get("metric")) in _METRICS and pair.get("class_name") is None:
            question, figure = _METRICS[pair["metric"]]
            a, b, standing = to_text(pair.get("a")), to_text(pair.get("b")), _to_standing(pair, figure)
            if standing is None or a is None or b is None:
                continue
            doubted = question == "speed" and not all(_is_trusted(side, name) for name in (a, b))
            yield (question, a, b), replace(standing, decided=standing.decided and not doubted)


def _is_trusted(side: Side, name: str) -> bool:
    return find_noise(section(side.entry(name), "speed"), name) is None


def _to_standing(pair: Mapping[str, Any], figure: str) -> Standing | None:
    value = number(pair.get(figure))
    if value is None or (figure == "ratio" and value <= 0):
        return None
    return Standing(value, number(pair.get("low")), number(pair.get("high")), pair.get("decided") is True)


def _look_up(known: Mapping[_Key, Standing], question: _Question, a: str, b: str) -> Standing | None:
    """What a study says of two models, in whichever order it named them."""
    if (question, a, b) in known:
        return known[question, a, b]
    found = known.get((question, b, a))
    return None if found is None else _turn(found, question)


def _turn(standing: Standing, question: _Question) -> Standing:
    """The same with the models the other way round."""

    def turn(value: float | None) -> float | None:
        if value is None:
            return None
        return 1 / value if question == "speed" and value else -value

    turned = turn(standing.value)
    assert turned is not None
    return replace(standing, value=turned, low=turn(standing.high), high=turn(standing.low))


def _tell_outcome(then: Standing, now: Standing, question: str) -> Outcome:
    if then.decided and now.decided:
        return "held" if leads(then, question) == leads(now, question) else "reversed"
    if now.decided:
        return "settled"
    return "unsettled" if then.decided else "open"
