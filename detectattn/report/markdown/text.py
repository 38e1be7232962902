"""Markdown as GitHub reads it. What comes from files (names, classes, messages) is text and never markup."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import quote

from detectattn.report.cells import MISSING
from detectattn.report.content import Caveat, Report, Topic
from detectattn.sources.naming import to_one_line

DECIDED = "*decided* where equal models would seem to differ as much less than once in a hundred studies"
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


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Collection[int] = (), sparse: bool = False
) -> Markdown:
    """A table.

    Args:
        header: Titles.
        rows: As many cells each.
        numbers: Columns that are aligned to the right.
        sparse: Leave out columns in which no row has anything.
    """
    marks = ["---:" if column in numbers else "---" for column in range(len(header))]
    cells = [[escape(cell) for cell in row] for row in rows]
    assert all(len(row) == len(header) for row in cells), "every row has as many cells as the header"
    lines: list[Sequence[str]] = [[escape(cell) for cell in header], marks, *cells]
    if sparse:
        kept = [column for column in range(len(header)) if any(row[column] != MISSING for row in cells)]
        lines = [[line[column] for column in kept] for line in lines]
    return Markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def caveats(report: Report, *topics: Topic) -> list[str]:
    """What to know about the figures of a section, as one block; none where there is nothing to know."""
    found: list[Caveat] = [caveat for caveat in report.caveats if caveat.topic in topics]
    return [Markdown("\n".join(f"> - {escape(caveat.text)}" for caveat in found))] if found else []


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
