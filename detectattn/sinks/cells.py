"""Text for the cells of a CSV file, which people open in spreadsheets."""

from __future__ import annotations

import re

# A spreadsheet takes text that begins with one of these for a formula and may run it; some take the wide forms too, and
# some pass over blanks and quotes before them.
_FORMULA = r'[\s"]*[-=+@＝＋－＠]'
# Where cells are separated by semicolons, as in much of Europe, or by tabs, one may begin within a text. So may one at
# a line break: a quote that stands behind another separator than the reader's holds nothing together.
_CELL_STARTS = re.compile(rf"^(?=[\t\n]|{_FORMULA})|(?<=[;\t\n])(?={_FORMULA})")


def to_cell(text: str) -> str:
    r"""Text that no spreadsheet takes for a formula: an apostrophe goes before what looks like one.

    That is at the beginning and, since spreadsheets differ in what separates cells, behind a semicolon, a tab or a line
    break. A carriage return becomes the two characters ``\r``: the csv module leaves it bare, and readers end a row
    there.
    """
    return _CELL_STARTS.sub("'", text.replace("\r", "\\r"))
