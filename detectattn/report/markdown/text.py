"""Markdown as GitHub reads it. What comes from files (names, classes, messages) is text and never markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from detectattn.report.content import Caveat, Report, Topic
from detectattn.report.tables.base import DECIDED_WHERE, Cell, Code, Table
from detectattn.sources.naming import to_one_line

DECIDED = f"*decided* {DECIDED_WHERE}"
"""What the column of that name says, after a semicolon."""

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"})
# An underscore between letters or digits is none of Markdown's.
_MARKS = re.compile(r"[\\`*\[\]~$#]|(?<![^\W_])_|_(?![^\W_])")
_LIST_MARK = re.compile(r"^([-+=]|\d+[.)])(?!\d)")


class Markdown(str):
    """Text that is Markdown already; any other string is escaped before it is shown."""

    __slots__ = ()


def escape(text: str) -> Markdown:
    """Text on one line that shows as it is, wherever it stands: in a paragraph, a list, a heading or a table."""
    if isinstance(text, Markdown):
        return text
    marked = _MARKS.sub(lambda match: f"\\{match[0]}", to_one_line(text).strip())
    marked = _LIST_MARK.sub(lambda match: f"{match[0][:-1]}\\{match[0][-1]}", marked)
    return Markdown(marked.translate(_ENTITIES))


def code(text: str) -> Markdown:
    """Text on one line in the type of code; in ordinary type where it holds ``|``, which ends a table's cell."""
    line = to_one_line(text)
    if "|" in line or not line.strip():
        return escape(line)
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return Markdown(f"{fence}{pad}{line}{pad}{fence}")


def code_block(text: str) -> Markdown:
    """Lines in the type of code."""
    lines = "\n".join(map(to_one_line, text.split("\n")))
    fence = "`" * max(3, _longest_run(lines) + 1)
    return Markdown(f"{fence}\n{lines}\n{fence}")


def picture(path: str, alt: str) -> Markdown:
    """A picture at a path relative to the page."""
    return Markdown(f"![{escape(alt)}]({quote(path, safe='/', errors='backslashreplace')})")


def bullets(items: Iterable[str]) -> Markdown:
    """A list."""
    return Markdown("\n".join(f"- {escape(item)}" for item in items))


def table(shown: Table, *, bold: int | None = None) -> Markdown:
    """A table; columns of figures are aligned to the right.

    Args:
        shown: What stands in it.
        bold: The column that is bold in the rows to be seen first.
    """
    marks = ["---:" if column in shown.numbers else "---" for column in range(len(shown.header))]
    rows = [
        [
            _embolden(cell) if column == bold and i in shown.strong else show_cell(cell)
            for column, cell in enumerate(row)
        ]
        for i, row in enumerate(shown.rows)
    ]
    lines: list[Sequence[str]] = [[escape(title) for title in shown.header], marks, *rows]
    return Markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def show_cell(cell: Cell) -> Markdown:
    """What stands in a cell."""
    if isinstance(cell, tuple):
        parts: list[str] = [code(part) if isinstance(part, Code) else _escape_within(part) for part in cell]
        return Markdown("".join(parts))
    return code(cell) if isinstance(cell, Code) else escape(cell)


def _escape_within(text: str) -> str:
    """As :func:`escape`, with the spaces at its ends."""
    head = text[: len(text) - len(text.lstrip(" "))]
    tail = text[len(text.rstrip(" ")) :] if text.strip(" ") else ""
    return f"{head}{escape(text)}{tail}"


def _embolden(cell: Cell) -> Markdown:
    return Markdown(f"**{show_cell(cell)}**")


def caveats(report: Report, *topics: Topic) -> list[str]:
    """What to know about the figures of a section, as one block; none where there is nothing to know."""
    found: list[Caveat] = [caveat for caveat in report.caveats if caveat.topic in topics]
    return [Markdown("\n".join(f"> - {escape(caveat.text)}" for caveat in found))] if found else []


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
