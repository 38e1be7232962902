"""What every reader promises of any bytes: a value, or one clear line. Nothing else may leave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from detectattn.errors import DetectattnError

MAX_LINE = 3200
"""Characters of a problem and its hint together."""

_Given = ParamSpec("_Given")
_Value = TypeVar("_Value")


def read_or_refuse(read: Callable[_Given, _Value], *given: _Given.args, **named: _Given.kwargs) -> _Value | None:
    """What a reader gives; None where it refuses in the way that it may.

    Args:
        read: Reads bytes of any content.
        given: What it is called with.
        named: Likewise.

    Raises:
        AssertionError: The refusal is not one clear line.
        Exception: Whatever else the reader raised: a defect of it.
    """
    try:
        return read(*given, **named)
    except DetectattnError as error:
        refusal = error
    require_line(str(refusal))
    assert refusal.problem, "a refusal without a problem"
    assert refusal.hint, "a refusal without a hint"
    return None


def require_line(text: str) -> None:
    """Raise unless a text can be shown as it is: one line, no control characters, valid Unicode, not endless."""
    assert text.isprintable(), f"not one printable line: {text!r}"
    assert len(text) <= MAX_LINE, f"a line of {len(text)} characters: {text[:200]!r} …"
