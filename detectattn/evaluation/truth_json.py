"""JSON files whose errors say where they are: the line, and the key."""

from __future__ import annotations

import json
import re
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeGuard

from detectattn.errors import EvaluationError
from detectattn.machine import read_memory_bytes

MAX_PIXELS = 1e9
"""Coordinates beyond are no coordinates: products of two still fit into single precision."""
_MOST_JSON_BYTES = 4_000_000_000
_LEAST_MEMORY_BYTES = 4_000_000_000
_KEY = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:')
_SPACE = re.compile(r"[\s,:]*")


def load_json(path: Path, error_type: type[EvaluationError], hint: str) -> Any:
    """The value in a JSON file.

    Args:
        path: The file, in UTF-8, with or without a byte order mark.
        error_type: What to raise.
        hint: What to do about a file that cannot be read.

    Raises:
        EvaluationError: ``error_type``: it cannot be read, is too large for this machine's memory, or is no JSON; the
            message names line, column and last key.
    """
    text = read_text(path, error_type, hint, _choose_most_json_bytes())
    try:
        return json.loads(text)
    except MemoryError as error:
        raise _to_too_large(path, error_type, hint) from error
    except json.JSONDecodeError as error:
        before = [match[1] for match in _KEY.finditer(text, max(0, error.pos - 10_000), error.pos)]
        after = f', after the key "{before[-1]}"' if before else ""
        where = f"line {error.lineno}, column {error.colno}{after}"
        raise error_type(f"{path} is broken JSON at {where}: {error.msg}", hint=hint) from error
    except RecursionError as error:
        raise error_type(f"{path} is nested too deep to be read", hint=hint) from error
    except ValueError as error:  # Python converts no more than 4,300 digits
        raise error_type(f"{path} holds a number of too many digits", hint=hint) from error


def _choose_most_json_bytes() -> int:
    """A quarter of the memory: what JSON holds takes several times its bytes."""
    return min(_MOST_JSON_BYTES, max(_LEAST_MEMORY_BYTES, read_memory_bytes() or 0) // 4)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value of JSON is a number, no boolean, and finite as a float."""
    # Compared, for a whole number may be too large to become a float.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def is_pixels(value: object) -> TypeGuard[float]:
    """Whether a value of JSON is a number that a coordinate or a length in a picture can be."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_PIXELS


def read_text(path: Path, error_type: type[EvaluationError], hint: str, max_bytes: int) -> str:
    """The text of a file in UTF-8, with or without a byte order mark; arguments and errors as of :func:`read_content`.

    Raises:
        EvaluationError: ``error_type``, also for what is no UTF-8.
    """
    content = read_content(path, error_type, hint, max_bytes)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise error_type(f"{path} is no text in UTF-8 (byte {error.start})", hint=hint) from error
    except MemoryError as error:
        raise _to_too_large(path, error_type, hint) from error


def read_content(path: Path, error_type: type[EvaluationError], hint: str, max_bytes: int) -> bytes:
    """The bytes of a file.

    Args:
        path: The file.
        error_type: What to raise.
        hint: What to do about a file that cannot be read.
        max_bytes: Refuse a larger one.

    Raises:
        EvaluationError: ``error_type``: it is missing, forbidden, no file but a pipe or device, or too large.
    """
    try:
        # Data sets from elsewhere may hold links; a pipe would be waited for, and a device may have no end.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise error_type(f"{path} is no file", hint=hint)
        if status.st_size > max_bytes:
            raise error_type(f"{path} is larger than {max_bytes // 1_000_000:,} MB", hint=hint)
        with path.open("rb") as stream:
            return stream.read(status.st_size)
    except OSError as error:
        raise error_type(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except MemoryError as error:
        raise _to_too_large(path, error_type, hint) from error


def _to_too_large(path: Path, error_type: type[EvaluationError], hint: str) -> EvaluationError:
    return error_type(f"{path} needs more memory to read than there is", hint=hint)


def find_line(path: Path, keys: Iterable[str | int]) -> int | None:
    """The line, from 1, on which a value of a valid JSON file starts.

    Args:
        path: The file.
        keys: The way to the value: names in objects and positions in lists.

    Returns:
        The line of the value, or of the last thing on the way that is there; None for a file that cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, MemoryError):
        return None
    position = _skip(text, 0)
    for key in keys:
        inner = _enter(text, position, key)
        if inner is None:
            break
        position = inner
    return text.count("\n", 0, position) + 1


def _enter(text: str, position: int, key: str | int) -> int | None:
    """Where the value under ``key`` starts in the object or list at ``position``."""
    decoder = json.JSONDecoder()
    is_object = text[position] == "{"
    if text[position] not in "{[" or is_object != isinstance(key, str):
        return None
    position, count = _skip(text, position + 1), 0
    while text[position] not in "}]":
        name: str | int = count
        if is_object:
            name, position = decoder.raw_decode(text, position)
            position = _skip(text, position)
        if name == key:
            return position
        position = _skip(text, decoder.raw_decode(text, position)[1])
        count += 1
    return None


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return position if match is None else match.end()
