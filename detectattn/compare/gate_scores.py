"""Figures of accuracy that a condition names, of models whose records begin at unlike scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from detectattn.compare.gate_expression import Condition, ModelFigure, Multiple
from detectattn.compare.gate_values import Absent, model_entry, number, section, to_list
from detectattn.compare.rules import ACCURACY_CONF

_CUT_SHORT = ("accuracy", "errors")


class CommonFigures(NamedTuple):
    """Two figures from one score on.

    Attributes:
        left: Of the figure that is judged.
        right: Of the one that it is compared with.
        score: That score.
        decided: Whether their difference is more than chance.
    """

    left: float
    right: float
    score: float
    decided: bool


def find_common_figures(report: Mapping[str, Any], condition: Condition) -> CommonFigures | Absent | None:
    """What a condition compares, where it sets a model against another whose scores begin elsewhere.

    Returns:
        The figures as the pair of both has them; why there are none; None where the models' own figures will do.
    """
    if not isinstance(condition.right, Multiple):
        return None
    left, right = condition.left, condition.right.of
    begins = [_begin(report, part) for part in (left, right)]
    if None in begins or begins[0] == begins[1] or not _is_cut_short(left) or not _is_cut_short(right):
        return None
    if left.figure == right.figure and (found := _find(report, left, right)) is not None:
        return found
    return Absent(
        f"the records of {left.model} begin at score {begins[0]:.3g} and those of {right.model} at {begins[1]:.3g}, so "
        f"these figures are not of one kind; make both with --conf {ACCURACY_CONF:g}"
    )


def tell_cut_short(report: Mapping[str, Any], condition: Condition) -> str:
    """A sentence, after a space, on a figure that a threshold cuts short; empty where none is."""
    parts = [condition.left] if not isinstance(condition.right, Multiple) else [condition.left, condition.right.of]
    for part in parts:
        begin = _begin(report, part)
        if begin is not None and begin > ACCURACY_CONF and _is_cut_short(part):
            return f" The records of {part.model} begin at score {begin:.3g}, which cuts its AP short."
    return ""


def _is_cut_short(part: ModelFigure) -> bool:
    return part.figure.keys[0] in _CUT_SHORT


def _begin(report: Mapping[str, Any], part: ModelFigure) -> float | None:
    return number((model_entry(report, part.model) or {}).get("scores_from"))


def _find(report: Mapping[str, Any], left: ModelFigure, right: ModelFigure) -> CommonFigures | None:
    """A figure of two models as their pair has it."""
    for pair in to_list(report.get("pairs")):
        entry = section({"pair": pair}, "pair")
        names = (entry.get("a"), entry.get("b"))
        same = entry.get("metric") == left.figure.keys[-1] and entry.get("class_name") == left.figure.class_name
        if same and set(names) == {left.model, right.model}:
            values = {name: number(entry.get(key)) for name, key in zip(names, ("value_a", "value_b"), strict=True)}
            score, own, other = number(entry.get("min_score")), values[left.model], values[right.model]
            if score is not None and own is not None and other is not None:
                return CommonFigures(own, other, score, entry.get("decided") is True)
    return None
