"""Conditions that fail a study, as a person writes them: ``demo-rtdetr.ap50_95 < 0.6``.

    condition = model "." figure, operator, value
    operator  = "<" | "<=" | ">" | ">=" | "==" | "!="
    value     = number [unit] | [number "*"] model "." figure

A model's name may hold dots: the longest known one that leaves a figure is taken. A figure is written in full
(``accuracy.ap50_95``) or by the end of its path (``ap50_95``, ``per_class.traffic light.ap50_95``).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from detectattn.classes import nearest_names
from detectattn.compare.gate_figures import FigureName, find_figure, suggest_figures
from detectattn.compare.quantity import Quantity, UnknownUnit, dimension_of, parse_quantity
from detectattn.errors import ConfigError

Operator = Literal["<", "<=", ">", ">=", "==", "!="]
COMPARE: Mapping[Operator, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_OPERATOR = re.compile(r"<=|>=|==|!=|<|>")
_EXAMPLE = "Write it like 'demo-rtdetr.ap50_95 < 0.6' or 'new.p50_ms > 1.1 * old.p50_ms'"


@dataclass(frozen=True, slots=True)
class ModelFigure:
    """A figure of a model."""

    model: str
    figure: FigureName

    def __str__(self) -> str:
        return f"{self.model}.{self.figure}"


@dataclass(frozen=True, slots=True)
class Constant:
    """A number to compare with, in the unit of the figure that it is compared with."""

    value: float


@dataclass(frozen=True, slots=True)
class Multiple:
    """So many times a figure."""

    factor: float
    of: ModelFigure


@dataclass(frozen=True, slots=True)
class Condition:
    """Fails a study where it is true.

    Attributes:
        text: As it was written.
        left: The figure that is judged.
        op: How.
        right: What it is compared with.
    """

    text: str
    left: ModelFigure
    op: Operator
    right: Constant | Multiple


def parse_condition(text: str, model_names: Sequence[str]) -> Condition:
    """Read a condition; needs no figures, so it can be checked before a study begins.

    Args:
        text: As a person wrote it.
        model_names: The models of the study.

    Raises:
        ConfigError: It is no condition, names a model or figure that there is not (the message names the nearest), or
            compares what cannot be compared.
    """
    left_text, op, right_text = _split(text, model_names)
    left = _parse_figure(text, left_text, model_names)
    return Condition(text, left, op, _parse_value(text, right_text, left, model_names))


def format_condition(condition: Condition) -> str:
    """A condition in full, so that reading it gives the same one."""
    unit = condition.left.figure.unit
    if isinstance(condition.right, Constant):
        known = unit and dimension_of(unit) != "other"
        value = f"{condition.right.value!r}{f' {unit}' if known else ''}"
    else:
        times = "" if condition.right.factor == 1 else f"{condition.right.factor!r} * "
        value = f"{times}{condition.right.of}"
    return f"{condition.left} {condition.op} {value}"


def _fail(text: str, problem: str, hint: str = _EXAMPLE) -> ConfigError:
    return ConfigError(f"--fail-if {text!r}: {problem}", hint=hint)


def _split(text: str, model_names: Sequence[str]) -> tuple[str, Operator, str]:
    """Left side, operator and right side; an operator inside of a model's name does not count."""
    start = max((len(n) for n in model_names if text.lstrip().startswith(f"{n}.")), default=0)
    match = _OPERATOR.search(text, start)
    if match is None:
        single = "; equality is written ==" if "=" in text[start:] else ""
        raise _fail(text, f"it compares nothing{single}")
    symbol = next(known for known in COMPARE if known == match[0])
    left, right = text[: match.start()].strip(), text[match.end() :].strip()
    if not left or not right:
        raise _fail(text, f"nothing stands {'before' if not left else 'after'} {symbol}")
    return left, symbol, right


def _parse_value(text: str, written: str, left: ModelFigure, model_names: Sequence[str]) -> Constant | Multiple:
    quantity = _parse_quantity(text, written, left)
    if quantity is not None:
        return Constant(_to_unit(text, quantity, left))
    factor, rest = _split_factor(text, written)
    right = _parse_figure(text, rest, model_names)
    kinds = {
        (dimension_of(f.unit), f.unit if dimension_of(f.unit) == "other" else "") for f in (left.figure, right.figure)
    }
    if len(kinds) > 1:
        raise _fail(text, f"{left.figure} cannot be compared with {right.figure}", "Compare figures of one kind")
    return Multiple(factor, right)


def _parse_quantity(text: str, written: str, left: ModelFigure) -> Quantity | None:
    """A number and its unit; None where a figure follows."""
    try:
        return parse_quantity(written)
    except UnknownUnit as error:
        if error.unit.casefold() == left.figure.unit.casefold():
            return Quantity(error.number, None)
        raise _fail(text, f"{left.figure} is not measured in {error.unit}", _unit_hint(left)) from error


def _split_factor(text: str, written: str) -> tuple[float, str]:
    before, star, after = written.partition("*")
    try:
        factor = parse_quantity(before) if star else None
    except UnknownUnit:
        factor = None
    if factor is None or factor.unit is not None:
        return 1.0, written
    if factor.number <= 0:
        raise _fail(text, f"the factor {before.strip()} is not above 0")
    return float(factor.number), after.strip()


def _to_unit(text: str, quantity: Quantity, left: ModelFigure) -> float:
    """A number in the unit of the figure that it is compared with."""
    dimension = dimension_of(left.figure.unit)
    if quantity.unit is not None and quantity.dimension != dimension:
        raise _fail(text, f"{left.figure} is not measured in {quantity.unit}", _unit_hint(left))
    value = quantity.to(left.figure.unit)
    if dimension == "share" and not 0 <= value <= 1:
        raise _fail(text, f"{left.figure} lies between 0 and 1", _unit_hint(left))
    return value


def _unit_hint(left: ModelFigure) -> str:
    unit = left.figure.unit
    examples = {"share": "0.6 or 60%", "time": "50 ms or 0.05 s", "memory": "500 MB or 0.5 GB"}
    dimension = dimension_of(unit)
    return (
        f"Write {examples[dimension]}" if dimension in examples else f"Write a number without a unit ({unit} is meant)"
    )


def _parse_figure(text: str, written: str, model_names: Sequence[str]) -> ModelFigure:
    """``NAME.FIGURE``, by the longest name that leaves a figure."""
    names = sorted((n for n in model_names if written.startswith(f"{n}.")), key=len, reverse=True)
    for name in names:
        figure = _find_figure(text, written[len(name) + 1 :])
        if figure is not None:
            return ModelFigure(name, figure)
    if names:
        wrong = written[len(names[0]) + 1 :]
        raise _fail(text, f"there is no figure {wrong!r}", suggest_figures(wrong))
    raise _no_model(text, written, model_names)


def _find_figure(text: str, written: str) -> FigureName | None:
    try:
        return find_figure(written)
    except ConfigError as error:
        raise _fail(text, error.problem, error.hint) from error


def _no_model(text: str, written: str, model_names: Sequence[str]) -> ConfigError:
    shown = ", ".join(model_names[:6]) + (f" and {len(model_names) - 6} more" if len(model_names) > 6 else "")
    if written in model_names:
        return _fail(text, f"{written} names no figure", f"Write it like {written}.ap50_95")
    if _find_figure(text, written) is not None and model_names:
        return _fail(text, f"{written!r} names no model", f"Write it like {model_names[0]}.{written}")
    # The name ends before what is a figure; where nothing is, at the first dot.
    ends = [i for i, character in enumerate(written) if character == "."]
    end = next((i for i in ends if _find_figure(text, written[i + 1 :]) is not None), ends[0] if ends else len(written))
    near = nearest_names(written[:end], model_names)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"The models are {shown}"
    return _fail(text, f"there is no model {written[:end]!r}", hint)
