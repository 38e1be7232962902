"""From the JSON of a run folder to what it stands for, every value checked against its declared type.

Run folders are sent around and edited, and a report is judged from them: what does not fit is told by its place in the
file, before it can become a figure.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from detectattn.errors import DetectattnError, UnreadableRecord
from detectattn.records import check_schema

_Kind = TypeVar("_Kind")
_MAX_NUMBER = 2**53
"""Larger whole numbers are none of ours, and lose digits as floats."""


@contextmanager
def open_json(path: Path, hint: str, *, is_list: bool = False) -> Iterator[Any]:
    """The object in a JSON file of this version or an earlier one; what goes wrong in the block is the file's damage.

    Args:
        path: The file.
        hint: What to do about a damaged one.
        is_list: Whether it holds a list, which says of no version.

    Raises:
        NewerSchema: It was written by a later version.
        UnreadableRecord: It is damaged.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not is_list:
            if not isinstance(record, dict):
                raise TypeError(f"expected an object, got {type(record).__name__}")
            check_schema(record)
        yield record
    except DetectattnError:
        raise
    except (OSError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UnreadableRecord(f"{path} cannot be read ({reason})", hint=hint) from error


def from_json(kind: type[_Kind], value: object, place: str = "its content") -> _Kind:
    """A value of a type from what JSON has for it; fields of objects that the type lacks are passed over.

    Args:
        kind: A dataclass, or any type that one declares: numbers, texts, ``X | None``, literals, tuples, sequences,
            mappings with texts or whole numbers as keys.
        value: What the file holds.
        place: What messages call it.

    Raises:
        ValueError: It does not fit; the message names the place.
    """
    converted: _Kind = _convert(kind, value, place)
    return converted


def _convert(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _convert_union(arguments, value, place)
    if origin is Literal:
        if value not in arguments:
            raise ValueError(f"{place} is none of {', '.join(map(str, arguments))}")
        return value
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _convert_fields(kind, value, place)
    if origin in (tuple, Sequence):
        return _convert_items(arguments, value, place)
    if origin is Mapping:
        return _convert_mapping(arguments, value, place)
    return _convert_plain(kind, value, place)


def _convert_union(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    problem = ValueError(f"{place} is {_show(value)}")
    for kind in kinds:
        if kind is not types.NoneType:
            try:
                return _convert(kind, value, place)
            except ValueError as error:
                problem = error
    raise problem


def _convert_fields(kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{place} must be an object, got {_show(value)}")
    given: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in value:
            given[field.name] = _convert(_hints(kind)[field.name], value[field.name], _within(place, field.name))
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{_within(place, field.name)} is missing")
    return kind(**given)


def _convert_items(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    if not isinstance(value, list):
        raise ValueError(f"{place} must be a list, got {_show(value)}")
    if len(kinds) == 2 and kinds[1] is not Ellipsis and len(value) != 2:
        raise ValueError(f"{place} must hold 2 values, got {len(value)}")
    each = kinds if len(kinds) == 2 and kinds[1] is not Ellipsis else (kinds[0],) * len(value)
    return tuple(_convert(kind, item, f"{place}[{i}]") for i, (kind, item) in enumerate(zip(each, value, strict=True)))


def _convert_mapping(kinds: tuple[Any, ...], value: Any, place: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{place} must be an object, got {_show(value)}")
    key_kind, item_kind = kinds
    found = {}
    for key, item in value.items():
        if key_kind is int and not (key.isascii() and key.isdecimal() and len(key) < 10):
            raise ValueError(f"{place} has the key {_show(key)}, which is no number")
        found[int(key) if key_kind is int else key] = _convert(item_kind, item, f"{place}.{key}")
    return found


def _convert_plain(kind: Any, value: Any, place: str) -> Any:
    words = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}[kind]
    fits = isinstance(value, int | float if kind is float else kind) and (kind is bool or not isinstance(value, bool))
    # NaN is not within limits either.
    if not fits or (kind in (int, float) and not abs(value) <= _MAX_NUMBER):
        raise ValueError(f"{place} must be {words}, got {_show(value)}")
    return float(value) if kind is float else value


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _within(place: str, name: str) -> str:
    return name if place == "its content" else f"{place}.{name}"


def _show(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return repr(value)[:40]
