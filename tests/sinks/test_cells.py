from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.sinks.cells import to_cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n", "\r", "＝", "＋", "－", "＠"])
def test_no_cell_begins_as_a_formula_does(start: str) -> None:
    assert to_cell(f"{start}1+1")[0] in "'\\"


@given(st.text(max_size=20))
def test_a_cell_is_one_field_of_one_row(text: str) -> None:
    [row] = csv.reader(io.StringIO(write_row(to_cell(text), "end"), newline=""))
    assert row == [to_cell(text), "end"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("before", [(), ("street.jpg",)], ids=["first", "second"])
@given(text=st.text('ab=-＝;,\t\n\r" ', max_size=12))
def test_no_cell_is_a_formula_whatever_separates_them(separator: str, before: tuple[str, ...], text: str) -> None:
    written = write_row(*before, to_cell(text), "end")
    for row in csv.reader(io.StringIO(written, newline=""), delimiter=separator):
        assert not any(cell.lstrip(' "\n').startswith(("=", "-", "＝")) for cell in row)


def write_row(*cells: str) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerow(cells)
    return stream.getvalue()
