"""YAML from anywhere: read by the safe loader, within limits, and every fault of it is one kind of error.

PyYAML answers a broken scalar with whatever Python raised (a ``ValueError`` for the thirteenth month, a ``KeyError``
for ``!!bool x``), takes minutes for ten thousand open brackets, and lets a few lines of aliases stand for gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 2_000_000
"""A larger file is not read. The class names of ImageNet's 21,841 classes are 1.5 MB."""
_MAX_DEPTH = 64
_MAX_WEIGHT = 8 * MAX_BYTES
# PyYAML takes 1:1:1 for a number to the base of 60, and quadratic time to compute it.
_LONG_NUMBER = re.compile(r"[-+.:_0-9]{400,}")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BrokenYaml(ValueError):
    """A text that is no YAML, or more than may be read. Its message is a clause on one line, with the line's number."""


def read_yaml(path: Path) -> Any:
    """The value in a YAML file in UTF-8, with or without a byte order mark; None for an empty one.

    Raises:
        OSError: It cannot be read.
        BrokenYaml: It is no YAML in UTF-8, or more than may be read.
    """
    with path.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise BrokenYaml(f"it is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenYaml(f"byte {error.start} is no UTF-8") from error
    return parse_yaml(text)


def parse_yaml(text: str) -> Any:
    """The value in a YAML text; None for an empty one.

    Raises:
        BrokenYaml: It is no YAML, nested too deep, or its aliases stand for more than may be read.
    """
    try:
        _check_events(yaml.parse(text, _LOADER))
        return yaml.load(text, _LOADER)  # noqa: S506 - a safe loader, in C where there is one
    except BrokenYaml:
        raise
    except yaml.YAMLError as error:
        raise BrokenYaml(_describe(error)) from error
    except Exception as error:  # the constructors of scalars raise what Python raises
        raise BrokenYaml(f"a value is not what its form says ({str(error)[:100]})") from error


def _check_events(events: Iterable[Any]) -> None:
    """Refuse what would exhaust stack, time or memory once it is built.

    Every value weighs one and its characters, an alias as much as all that it stands for.
    """
    weights: dict[str, int] = {}
    unfinished: list[tuple[str | None, int]] = []
    total = 0
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in unfinished):
                raise BrokenYaml(f"line {line}: the alias *{event.anchor} stands for what holds it")
            # One that is not defined is the composer's to refuse.
            total += weights.get(str(event.anchor), 0) + 1
        elif isinstance(event, yaml.ScalarEvent):
            if _LONG_NUMBER.fullmatch(event.value):
                raise BrokenYaml(f"line {line}: it holds a number of {len(event.value)} digits")
            total += len(event.value) + 1
            if event.anchor:
                weights[event.anchor] = len(event.value) + 1
        elif isinstance(event, yaml.CollectionStartEvent):
            unfinished.append((event.anchor, total))
            total += 1
            if len(unfinished) > _MAX_DEPTH:
                raise BrokenYaml(f"line {line}: it is nested deeper than {_MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = unfinished.pop()
            if anchor:
                weights[anchor] = total - before
        if total > _MAX_WEIGHT:
            raise BrokenYaml(f"line {line}: its aliases stand for more than {_MAX_WEIGHT // 1_000_000} MB")


def _describe(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it breaks YAML's rules"
    return f"line {mark.line + 1}: {problem}" if mark else " ".join(str(error).split())[:160]
