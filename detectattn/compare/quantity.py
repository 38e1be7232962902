"""Numbers with units, as a person writes them: ``50ms``, ``0.5 GB``, ``60%``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Dimension = Literal["share", "time", "memory", "other"]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_MAX_EXPONENT = 300
# Each in the smallest unit that figures have: a share of 1, milliseconds, megabytes of 10^6 bytes.
_UNITS: Mapping[str, tuple[Dimension, Decimal]] = {
    "": ("share", Decimal(1)),
    "%": ("share", Decimal("0.01")),
    "us": ("time", Decimal("0.001")),
    "µs": ("time", Decimal("0.001")),
    "ms": ("time", Decimal(1)),
    "s": ("time", Decimal(1000)),
    "kB": ("memory", Decimal("0.001")),
    "MB": ("memory", Decimal(1)),
    "GB": ("memory", Decimal(1000)),
}
_SPELLINGS = {
    "ms": "ms", "mb": "MB", "gb": "GB", "kb": "kB", "sec": "s", "seconds": "s", "second": "s", "msec": "ms",
    "milliseconds": "ms", "percent": "%",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it was written.

    Attributes:
        number: Its value.
        unit: ``%``, ``ms``, ``s``, ``MB``, …; None for a bare number.
    """

    number: Decimal
    unit: str | None

    @property
    def dimension(self) -> Dimension | None:
        """What it measures; None for a bare number."""
        return None if self.unit is None else _UNITS[self.unit][0]

    def to(self, unit: str) -> float:
        """Its value in another unit of its dimension (empty for a share of 1); the number itself where it has none."""
        if self.unit is None:
            return float(self.number)
        return float(self.number * _UNITS[self.unit][1] / _UNITS[unit][1])


class UnknownUnit(ValueError):
    """A number with a unit that is none of time, memory or share.

    Attributes:
        number: The number.
        unit: As it was written.
    """

    def __init__(self, number: Decimal, unit: str) -> None:
        super().__init__(unit)
        self.number = number
        self.unit = unit


def parse_quantity(text: str) -> Quantity | None:
    """A number with or without a unit; None where the text does not start with a number or goes on after the unit.

    Raises:
        UnknownUnit: A number and a word that is no unit.
    """
    text = text.strip()
    match = _NUMBER.match(text)
    if match is None:
        return None
    written = text[match.end() :].strip()
    if written and not re.fullmatch(r"%|[^\W\d_]+(?:/[^\W\d_]+)?", written):
        return None
    number = Decimal(match[0])
    if abs(number.adjusted()) > _MAX_EXPONENT:
        return None
    if not written:
        return Quantity(number, None)
    unit = written if written in _UNITS else _SPELLINGS.get(written.lower())
    if unit is None:
        raise UnknownUnit(number, written)
    return Quantity(number, unit)


def convert(value: float, unit: str, to: str) -> float:
    """A value in another unit of the same dimension."""
    return value if unit == to else value * float(_UNITS[unit][1] / _UNITS[to][1])


def dimension_of(unit: str) -> Dimension:
    """What a figure's unit measures; ``other`` for one that is not written after numbers, such as ``images/s``."""
    return _UNITS[unit][0] if unit in _UNITS else "other"
