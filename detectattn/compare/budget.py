"""What ``--budget`` allows a model to take."""

from __future__ import annotations

from typing import Literal

from detectattn.compare.quantity import UnknownUnit, parse_quantity
from detectattn.errors import ConfigError
from detectattn.evaluation.verdict import Budget

_HINT = "Write a time an image or a peak of memory, such as --budget 50ms or --budget 500MB"


def parse_budget(text: str) -> Budget:
    """A limit of time or memory: ``50ms``, ``0.05 s``, ``500MB``, ``0.5GB``.

    Raises:
        ConfigError: It is no number with such a unit, or not above 0.
    """
    try:
        quantity = parse_quantity(text)
    except UnknownUnit as error:
        raise ConfigError(f"--budget {text!r}: {_explain_unit(error.unit)}", hint=_HINT) from error
    if quantity is None:
        raise ConfigError(f"--budget {text!r} is no number with a unit", hint=_HINT)
    if quantity.unit is None:
        raise ConfigError(f"--budget {text!r} has no unit: it could be ms or MB", hint=_HINT)
    if quantity.dimension == "share":
        raise ConfigError(f"--budget {text!r} is a share; a budget is a time or an amount of memory", hint=_HINT)
    unit: Literal["ms", "MB"] = "ms" if quantity.dimension == "time" else "MB"
    limit = quantity.to(unit)
    if limit <= 0:
        raise ConfigError(f"--budget {text!r} allows nothing; it must be above 0", hint=_HINT)
    return Budget(limit, unit)


def _explain_unit(unit: str) -> str:
    if unit.lower() in ("mib", "gib", "kib"):
        return f"{unit} is not used here; MB is 10^6 bytes"
    return f"{unit} is neither a unit of time (ms, s) nor of memory (MB, GB)"
