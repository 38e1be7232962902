from __future__ import annotations

import csv

import polars
import pytest

from detectattn.errors import OutputExists
from detectattn.sinks.csv import COLUMNS, CsvSink


def read(folder):
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_one_row_a_detection_with_the_record_s_numbers(tmp_path, make_frame, make_prediction):
    picture, empty, video = make_frame("a/x.jpg"), make_frame("a/y.jpg"), make_frame("clip.mp4", "video", 25)
    sink = CsvSink(tmp_path)
    sink.write(picture, make_prediction(picture, ([1, 2, 30.126, 40], 0.94127, 5), ([-1, 0, 5, 5], 0.5, 0)))
    sink.write(empty, make_prediction(empty))
    sink.write(video, make_prediction(video, ([1, 1, 9, 9], 0.25, 2), traced=False))
    sink.close()
    rows = read(tmp_path)
    assert list(rows[0]) == list(COLUMNS)
    assert [list(row.values()) for row in rows] == [
        ["a/x.jpg", "0", "", "100", "200", "demo", "5", "bus", "0.94127", "1.0", "2.0", "30.13", "40.0", "100"],
        ["a/x.jpg", "0", "", "100", "200", "demo", "0", "person", "0.5", "-1.0", "0.0", "5.0", "5.0", "101"],
        ["clip.mp4", "25", "1.0", "100", "200", "demo", "2", "car", "0.25", "1.0", "1.0", "9.0", "9.0", ""],
    ]
    table = polars.read_csv(tmp_path / "predictions.csv")
    assert table.columns == list(COLUMNS)
    assert table["x1"].to_list() == [1, -1, 1]
    assert table["query_id"].to_list() == [100, 101, None]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("a;=1+1;.jpg", "a;'=1+1;.jpg"),
        ('a;"=1+1', "a;'\"=1+1"),
        ("a;b\tc.jpg", "a;b\tc.jpg"),
        ("\r=1", "\\r=1"),
        ("a=1", "a=1"),
        ('two "words", 한글\nand a line', 'two "words", 한글\nand a line'),
        ("\udcff.jpg", "\\udcff.jpg"),
        ("", ""),
    ],
)
def test_text_that_looks_like_a_formula_is_neutralised(tmp_path, make_frame, make_prediction, name, cell):
    frame = make_frame("x.jpg", source=name or None)
    sink = CsvSink(tmp_path)
    sink.write(frame, make_prediction(frame, ([0, 0, 1, 1], 0.5, 0), class_names={0: name}, model=name))
    sink.close()
    (row,) = read(tmp_path)
    assert [row["class_name"], row["model"]] == [cell, cell]
    assert row["source"] == (cell or "x.jpg")
    assert row["x1"] == "0.0"


def test_rows_are_there_at_once_and_stay_after_an_error(tmp_path, make_frame, make_prediction):
    frame = make_frame("x.jpg")
    sink = CsvSink(tmp_path)
    assert read(tmp_path) == []
    sink.write(frame, make_prediction(frame, ([0, 0, 1, 1], 0.5, 0)))
    assert len(read(tmp_path)) == 1
    sink.abort()
    assert len(read(tmp_path)) == 1


def test_a_file_that_is_there_is_refused(tmp_path):
    (tmp_path / "predictions.csv").write_text("mine")
    with pytest.raises(OutputExists):
        CsvSink(tmp_path)
    assert (tmp_path / "predictions.csv").read_text() == "mine"


def test_columns_are_those_of_the_documentation(documented_columns):
    assert tuple(documented_columns("`--save csv`", "column")) == COLUMNS
