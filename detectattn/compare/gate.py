"""Conditions that a study must meet: ``--fail-if`` and ``--baseline``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from detectattn.compare.gate_baseline import judge_baseline, load_baseline
from detectattn.compare.gate_expression import (
    COMPARE,
    Condition,
    Constant,
    ModelFigure,
    Multiple,
    Operator,
    parse_condition,
)
from detectattn.compare.gate_scores import find_common_figures, tell_cut_short
from detectattn.compare.gate_values import Absent, find_value, format_apart, format_value, model_entry, section
from detectattn.compare.quantity import convert, dimension_of
from detectattn.report.content import Gate

__all__ = ["Condition", "judge_baseline", "judge_conditions", "load_baseline", "parse_condition"]

_SAYS: Mapping[Operator, str] = {
    "<": "below",
    "<=": "at or below",
    ">": "above",
    ">=": "at or above",
    "==": "equal to",
    "!=": "other than",
}


def judge_conditions(conditions: Sequence[Condition], report_json: Mapping[str, Any]) -> tuple[Gate, ...]:
    """Hold conditions against a study: one that is true fails it, and so does one that cannot be judged.

    Args:
        conditions: Of ``--fail-if``.
        report_json: The content of ``report.json``.
    """
    return tuple(_judge(condition, report_json) for condition in conditions)


def _judge(condition: Condition, report: Mapping[str, Any]) -> Gate:
    left = find_value(report, condition.left.model, condition.left.figure)
    if isinstance(left, Absent):
        return _unjudged(condition, condition.left, left)
    common = find_common_figures(report, condition)
    if isinstance(common, Absent):
        return _unjudged(condition, condition.left, common)
    factor = 1.0
    if isinstance(condition.right, Constant):
        right, target = condition.right.value, _say_constant(condition.right.value, condition.left)
        shown = _say_beside(left, right, condition.left)
    else:
        of = find_value(report, condition.right.of.model, condition.right.of.figure)
        if isinstance(of, Absent):
            return _unjudged(condition, condition.right.of, of)
        if common is not None:
            left, of = common.left, common.right
        factor = condition.right.factor
        right = factor * _to_unit_of(condition.left, condition.right.of, of)
        shown, product = format_apart(left, right, condition.left.figure.unit)
        target = _say_multiple(condition, condition.right, of, product)
    holds = COMPARE[condition.op](left, right)
    verb = "is" if holds else "is not"
    text = f"{_say_figure(condition.left)} is {shown}, which {verb} {_SAYS[condition.op]} {target}."
    if common is None:
        caution = _find_doubt(condition, report) or tell_cut_short(report, condition)
        return Gate(condition.text, holds, f"{text}{caution}")
    text += f" Both count from score {common.score:.3g} on, where the records of one begin"
    if holds and not common.decided and factor == 1:
        # Records that begin apart were not made alike: the last digits of their figures are not those of the models.
        return Gate(condition.text, False, f"{text}; that is not decided on these images, and so does not fail.")
    return Gate(condition.text, holds, f"{text}.")


def _unjudged(condition: Condition, figure: ModelFigure, absent: Absent) -> Gate:
    return Gate(condition.text, True, f"{_say_figure(figure)} cannot be judged: {absent.reason}.")


def _to_unit_of(left: ModelFigure, of: ModelFigure, value: float) -> float:
    if dimension_of(left.figure.unit) == "other":
        return value
    return convert(value, of.figure.unit, left.figure.unit)


def _say_figure(figure: ModelFigure) -> str:
    name = figure.figure.class_name
    return f"The {figure.figure.keys[-1]} of {figure.model}{'' if name is None else f' on {name}'}"


def _say_constant(value: float, left: ModelFigure) -> str:
    return f"{value:,.10g} {left.figure.unit}".rstrip()


def _say_beside(value: float, limit: float, left: ModelFigure) -> str:
    """A figure with as many digits as it takes to see on which side of a limit it lies."""
    return format_apart(value, limit, left.figure.unit)[0]


def _say_multiple(condition: Condition, multiple: Multiple, of: float, product: str) -> str:
    same = multiple.of.figure == condition.left.figure
    what = f"that of {multiple.of.model}" if same else f"the{_say_figure(multiple.of)[3:]}"
    if multiple.factor == 1:
        return f"{what}, {product}"
    return f"{multiple.factor:g} × {what} ({format_value(of, multiple.of.figure.unit)}), {product}"


def _find_doubt(condition: Condition, report: Mapping[str, Any]) -> str:
    """A sentence on timings that should not be trusted; empty where none takes part."""
    parts = [condition.left] if isinstance(condition.right, Constant) else [condition.left, condition.right.of]
    for part in parts:
        noise = section(model_entry(report, part.model) or {}, "speed", "noise")
        if part.figure.keys[0] == "speed" and noise.get("trusted") is False:
            reasons = "; ".join(str(reason) for reason in noise.get("reasons") or ())
            return f" The timings of {part.model} are not to be trusted{f': {reasons}' if reasons else ''}."
    return ""
