"""The class names that a model says it has, before anything rests on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from detectattn.errors import CorruptWeights

MAX_CLASSES = 100_000
"""Four times the classes of the largest published vocabularies."""
MAX_NAME_CHARACTERS = 10_000
_HINT = "Give it one name for each class, numbered from 0, and export or save it again"


def read_class_names(names: Any, where: str) -> dict[int, str]:
    """Class names by index, from what a model's metadata or its checkpoint has under ``names``.

    Indices are those of a list of so many names, as Ultralytics wants them too: outputs have a row for each index from
    0 to the highest, and a single high one would make tables of gigabytes.

    Args:
        names: A list, or names by index; an index may be text.
        where: The file, for the message.

    Raises:
        CorruptWeights: It is neither; an index is not below the number of names; a name is neither text nor a number,
            or has more than :data:`MAX_NAME_CHARACTERS` characters; there are more than :data:`MAX_CLASSES`.
    """
    if not isinstance(names, Mapping | list | tuple):
        raise CorruptWeights(f"{where} names no classes", hint=_HINT)
    if len(names) > MAX_CLASSES:
        raise CorruptWeights(f"{where} names {len(names):,} classes, and {MAX_CLASSES:,} is the most", hint=_HINT)
    pairs = names.items() if isinstance(names, Mapping) else enumerate(names)
    found = {_read_index(key, len(names), where): name for key, name in pairs}
    return {index: _read_name(name, index, where) for index, name in found.items()}


def _read_index(key: Any, count: int, where: str) -> int:
    index = int(key) if isinstance(key, str) and re.fullmatch(r"\d{1,9}", key) else key
    if isinstance(index, int) and 0 <= index < count:
        return int(index)
    raise CorruptWeights(
        f"{where} names {count:,} classes, and numbers one of them {_show(key)}: they must go from 0 to {count - 1:,}",
        hint=_HINT,
    )


def _read_name(name: Any, index: int, where: str) -> str:
    # YAML makes numbers, truth values and nothing at all of names such as 7, no and null.
    if not isinstance(name, str | int | float | None) or _is_vast(name):
        raise CorruptWeights(f"{where} has no text for the name of class {index:,}", hint=_HINT)
    text = str(name)
    if len(text) > MAX_NAME_CHARACTERS:
        long = f"{len(text):,} characters, and {MAX_NAME_CHARACTERS:,} is the most"
        raise CorruptWeights(f"{where} has a name for class {index:,} of {long}", hint=_HINT)
    return text


def _show(key: Any) -> str:
    return repr(key)[:40] if isinstance(key, str | int | float) and not _is_vast(key) else "otherwise"


def _is_vast(value: Any) -> bool:
    """Whether a number has more digits than Python would write."""
    return isinstance(value, int) and value.bit_length() > 64
