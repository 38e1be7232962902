"""Text in parts that a template shows each in its own way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from detectattn.report.html.marks import Mark
from detectattn.report.tables.base import Cell, Code, Name

Kind = Literal["text", "name", "code", "interval", "spoken"]

# A figure, then its interval or what it is set beside, then a mark of doubt.
_FIGURE = re.compile(r"([^\s(]+) (\([^()]*\))(†?)")
_INTERVAL = re.compile(r"(\([^()\s]+–[^()\s]+\))")
_LEAST_NAME = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of text.

    Attributes:
        text: As it is; the template escapes it.
        kind: ``name`` of a model, ``code``, ``interval`` beside a figure, ``spoken`` for screen readers alone.
        mark: Of a named model.
    """

    text: str
    kind: Kind = "text"
    mark: Mark | None = None


def split_cell(cell: Cell, marks: Mapping[str, Mark]) -> tuple[Part, ...]:
    """What stands in a cell of a table."""
    return tuple(part for text in (cell if isinstance(cell, tuple) else (cell,)) for part in _split(text, marks))


def _split(text: str, marks: Mapping[str, Mark]) -> Iterator[Part]:
    if isinstance(text, Code):
        yield Part(text, "code")
    elif isinstance(text, Name):
        yield Part(text, "name", marks.get(text))
    elif figure := _FIGURE.fullmatch(text):
        yield Part(figure[1] + figure[3])
        yield Part(f" {figure[2]}", "interval")
    else:
        yield Part(text)


def find_intervals(parts: Iterable[Part]) -> tuple[Part, ...]:
    """A sentence with the intervals in it told apart."""
    return tuple(piece for part in parts for piece in (_split_intervals(part) if part.kind == "text" else (part,)))


def _split_intervals(part: Part) -> Iterator[Part]:
    pieces = _INTERVAL.split(part.text)
    yield from (Part(p, "interval" if i % 2 else "text") for i, p in enumerate(pieces) if p)


def find_names(text: str, names: Iterable[str], marks: Mapping[str, Mark]) -> tuple[Part, ...]:
    """A sentence with the names of models in it told apart."""
    known = sorted((name for name in names if len(name) >= _LEAST_NAME), key=len, reverse=True)
    if not known:
        return (Part(text),)
    any_name = "|".join(map(re.escape, known))
    pieces = re.split(rf"(?<![\w-])({any_name})(?![\w-])", text)
    parts = (Part(p, "name", marks.get(p)) if i % 2 else Part(p) for i, p in enumerate(pieces) if p)
    return tuple(parts)
