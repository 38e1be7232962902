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
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerow([to_cell(text), "end"])
    [row] = csv.reader(io.StringIO(stream.getvalue(), newline=""))
    assert row == [to_cell(text), "end"]
