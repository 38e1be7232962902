"""Text for the cells of a CSV file, which people open in spreadsheets."""

from __future__ import annotations

# A spreadsheet takes text that begins with one of these for a formula and may run it; some take the wide forms too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")


def to_cell(text: str) -> str:
    r"""Text that no spreadsheet takes for a formula: one that looks like it gets an apostrophe before it.

    A carriage return becomes the two characters ``\r``: the csv module leaves it bare, and readers end a row there.
    """
    text = text.replace("\r", "\\r")
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
