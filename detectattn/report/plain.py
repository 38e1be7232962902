"""From dataclasses and arrays to what JSON can hold, and from that to text that people can read too."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

_INDENT = "  "
_SHORT = 100


def to_plain(value: object) -> Any:
    """Dicts, lists, text, numbers, booleans and None. Numbers keep every digit; NaN and infinities become None.

    Raises:
        TypeError: JSON has nothing for it.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"a report cannot hold {type(value).__name__}")


def render_plain(value: Any) -> str:
    """JSON text. What is short stands on one line, and so do lists of single values and records in a list.

    Args:
        value: As :func:`to_plain` makes it.
    """
    # UTF-8 has no lone surrogates, which names of undecodable files may hold; `\udc80` is how JSON writes them.
    return _render(value, "").encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def _render(value: Any, indent: str, *, listed: bool = False) -> str:
    # Trying a line for what holds much would write all of it once more at each depth.
    if not _is_deep(value):
        line = json.dumps(value, ensure_ascii=False, allow_nan=False)
        if not isinstance(value, dict | list) or len(line) <= _SHORT or _is_record(value, listed=listed):
            return line
    inner = indent + _INDENT
    if isinstance(value, dict):
        parts = [f"{json.dumps(k, ensure_ascii=False)}: {_render(item, inner)}" for k, item in value.items()]
    else:
        parts = [_render(item, inner, listed=True) for item in value]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    lines = f",\n{inner}".join(parts)
    return f"{opened}\n{inner}{lines}\n{indent}{closed}"


def _is_record(value: dict[str, Any] | list[Any], *, listed: bool) -> bool:
    """Whether it is a list of single values, or a record of them in a list."""
    return (listed or isinstance(value, list)) and not any(isinstance(item, dict | list) for item in _items(value))


def _is_deep(value: Any) -> bool:
    """Whether it holds what holds lists or objects."""
    return any(isinstance(inner, dict | list) for item in _items(value) for inner in _items(item))


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
