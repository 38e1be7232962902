"""Text in a terminal's columns: how wide it is, where it breaks, how a table lines up."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence

WIDTH = 80
_LEAST_NAME = 8


def measure(text: str) -> int:
    """How many columns a text takes: two for each wide character of East Asian scripts, none for combining marks."""
    return sum(_measure_character(character) for character in text)


def shorten(text: str, width: int) -> str:
    """A text in at most so many columns: ``…`` in its middle where it was cut, for names differ at both ends."""
    if measure(text) <= width:
        return text
    head = text[: _count_fitting(text, width // 2)]
    tail = text[::-1][: _count_fitting(text[::-1], width - 1 - measure(head))][::-1]
    return f"{head}…{tail}"


def wrap(text: str, *, first: str = "", rest: str = "  ") -> list[str]:
    """Lines of at most 80 columns, broken between words; a word that is too long is broken within.

    Args:
        text: One paragraph.
        first: What the first line begins with.
        rest: What the other lines begin with.
    """
    lines, line = [], first
    bare = True
    for word in text.split():
        joint = "" if bare else " "
        if measure(line) + len(joint) + measure(word) <= WIDTH:
            line, bare = line + joint + word, False
            continue
        if not bare:
            lines.append(line)
            line = rest
        while measure(line) + measure(word) > WIDTH:
            fitting = max(1, _count_fitting(word, WIDTH - measure(line)))
            lines.append(line + word[:fitting])
            line, word = rest, word[fitting:]
        line, bare = line + word, False
    return [*lines, line]


def align(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Collection[int] = ()) -> list[str]:
    """Lines of a plain table: columns aligned by spaces, those in ``numbers`` to the right.

    The first column is shortened where a line would pass 80 columns.
    """
    widths = [max(measure(row[i]) for row in (header, *rows)) for i in range(len(header))]
    widths[0] = min(widths[0], max(_LEAST_NAME, WIDTH - sum(width + 2 for width in widths[1:])))
    lines = []
    for row in (header, *rows):
        columns = enumerate(zip(row, widths, strict=True))
        lines.append("  ".join(_pad(cell, width, right=i in numbers) for i, (cell, width) in columns).rstrip())
    return lines


def _pad(cell: str, width: int, *, right: bool) -> str:
    shown = shorten(cell, width)
    space = " " * (width - measure(shown))
    return space + shown if right else shown + space


def _count_fitting(text: str, room: int) -> int:
    """How many of its first characters fit into so many columns."""
    for place, character in enumerate(text):
        room -= _measure_character(character)
        if room < 0:
            return place
    return len(text)


def _measure_character(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
