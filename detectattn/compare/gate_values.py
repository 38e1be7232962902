"""Figures of a report by their names, or why they do not exist; and how they are said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detectattn.classes import nearest_names
from detectattn.compare.gate_figures import FigureName
from detectattn.evaluation.truth_json import is_number

_USUAL_REASONS = {
    "memory.peak_device_mb": "it ran on a device without memory of its own, or one that does not tell",
    "size.params_m": "the engine cannot tell",
    "size.gflops": "the engine cannot tell",
    "speed.p50_low_ms": "too few rounds were timed",
    "speed.p50_high_ms": "too few rounds were timed",
    "accuracy.ap50_95_low": "the images are too few",
    "accuracy.ap50_95_high": "the images are too few",
}
_JUDGED = ("accuracy", "operating_points", "errors", "calibration")
_UNKNOWN = "it does not exist"
_DIGITS = range(3, 10)


@dataclass(frozen=True, slots=True)
class Absent:
    """A figure that does not exist.

    Attributes:
        reason: Why; a clause without a full stop.
    """

    reason: str


def find_value(report: Mapping[str, Any], model: str, figure: FigureName) -> float | Absent:
    """One figure of a report's content.

    Args:
        report: The content of ``report.json``.
        model: The model's name.
        figure: Which figure.
    """
    entry = model_entry(report, model)
    if entry is None:
        return Absent(f"{model} was not measured")
    if entry.get("status") == "failed":
        return Absent(f"{model} failed ({entry.get('error') or 'without a message'})")
    return _walk(entry, figure)


def model_entry(report: Mapping[str, Any], model: str) -> Mapping[str, Any] | None:
    """What a report says of a model; None where it says nothing."""
    return _mapping(_mapping(report.get("models")).get(model)) or None


def section(entry: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """A part of what a report says of a model; empty where it is missing, or no mapping."""
    part: Mapping[str, Any] = entry
    for key in keys:
        part = _mapping(part.get(key))
    return part


def number(value: Any) -> float | None:
    """A finite number; None for anything else, such as what an edited file may hold."""
    return float(value) if is_number(value) else None


def to_text(value: object) -> str | None:
    """A text; None for anything else, such as what an edited file may hold."""
    return value if isinstance(value, str) else None


def to_list(value: object) -> list[Any]:
    """A list; empty for anything else."""
    return list(value) if isinstance(value, list | tuple) else []


def _walk(entry: Mapping[str, Any], figure: FigureName) -> float | Absent:
    part = section(entry, *figure.keys[:-1])
    value = number(part.get(figure.keys[-1]))
    if value is not None:
        return value
    top = figure.keys[0]
    if not section(entry, top):
        why = section(entry, "undefined").get("accuracy" if top in _JUDGED else top)
        return Absent(str(why or _UNKNOWN))
    if figure.class_name is not None and not part:
        near = nearest_names(figure.class_name, section(entry, *figure.keys[:2]))
        meant = f"; did you mean {' or '.join(near)}" if near else ""
        return Absent(f"the ground truth shows no object of class {figure.class_name}{meant}")
    why = section(entry, top, "undefined").get(figure.keys[-1]) or _USUAL_REASONS.get(str(figure))
    return Absent(str(why or _UNKNOWN))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def format_value(value: float, unit: str, digits: int = 3) -> str:
    """A figure with its unit: three decimals for a share, else three significant digits."""
    if not math.isfinite(value):
        return f"{value} {unit}".strip()
    if unit == "":
        return f"{value:.{digits}f}"
    rounded = float(f"{value:.{digits - 1}e}")
    scale = 0 if rounded == 0 else math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(0, digits - 1 - scale)}f} {unit}"


def format_apart(value: float, other: float, unit: str) -> tuple[str, str]:
    """Two figures with as many digits as it takes to tell them apart."""
    for digits in _DIGITS:
        shown = format_value(value, unit, digits), format_value(other, unit, digits)
        if shown[0] != shown[1] or value == other:
            return shown
    return repr(value), repr(other)
