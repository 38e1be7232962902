"""What every file of a run has in common: its version, its text, and the values that are read back from it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from detectattn.errors import NewerSchema, UnreadableRecord

SCHEMA = 1
"""Version of every file of a run. Rises when a field changes its meaning or goes; new fields do not raise it."""

# Valid JSON either way, but UTF-8 has no lone surrogates (undecodable file names), and str.splitlines breaks lines at
# the others.
_TO_ESCAPE = re.compile("[\ud800-\udfff\u0085\u2028\u2029]")


def check_schema(record: Mapping[str, Any]) -> None:
    """Raise unless this version can read ``record``.

    Raises:
        NewerSchema: It was written by a later version.
        ValueError: It names no version.
    """
    schema = record["schema"]
    if not isinstance(schema, int) or schema < 1:
        raise ValueError(f"schema is {schema!r}")
    if schema > SCHEMA:
        raise NewerSchema(
            f"the record has schema {schema}, and this version reads up to {SCHEMA}",
            hint="Read it with a newer detectattn: pip install -U detectattn",
        )


def to_number(value: Any) -> float:
    """A finite number.

    Raises:
        TypeError: It is no number.
        ValueError: It is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {value!r}")
    return float(value)


def to_text(value: object) -> str:
    """A text.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    return value


def to_count(value: object) -> int:
    """A whole number from 0.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"expected a number from 0, got {value!r}")
    return value


def to_size(value: Sequence[object]) -> tuple[int, int]:
    """Height and width; errors as of :func:`to_count`."""
    height, width = value
    return to_count(height), to_count(width)


def to_plain(value: object) -> Any:
    """What JSON can hold; anything else becomes its text."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def to_line(record: Mapping[str, Any]) -> str:
    """A record as a line of a file, with its newline."""
    return escape(json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))) + "\n"


def escape(text: str) -> str:
    """The same JSON in characters that every file and every reader of lines can take."""
    return _TO_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def parse_json(text: str) -> dict[str, Any]:
    """The object that a text holds.

    Raises:
        UnreadableRecord: It is no JSON, or no object.
    """
    try:
        record = json.loads(text, parse_constant=_refuse_constant)
    except MemoryError as error:
        raise make_unreadable(ValueError("it needs more memory than there is")) from error
    except (ValueError, RecursionError) as error:
        raise make_unreadable(error) from error
    if not isinstance(record, dict):
        raise make_unreadable(TypeError(f"expected an object, got {type(record).__name__}"))
    return record


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def make_unreadable(error: Exception) -> UnreadableRecord:
    """The error that a record cannot be read, and why."""
    reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return UnreadableRecord(
        f"the record cannot be read ({reason})", hint="Name a predictions.jsonl or run.json that a run wrote"
    )
