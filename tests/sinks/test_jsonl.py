from __future__ import annotations

import json

import polars
import pytest

from detectattn.errors import DiskFull, OutputExists, WriteFailed
from detectattn.records import iter_records, record_line, to_record
from detectattn.sinks.jsonl import JsonlSink
from detectattn.sinks.lines import LineFile


@pytest.fixture
def written(make_frame, make_prediction):
    frames = [make_frame("a/x.jpg"), make_frame("a/y.jpg"), make_frame("clip.mp4", "video", 25)]
    boxes = [[([1, 2, 30.126, 40], 0.94127, 5), ([0, 0, 5, 5], 0.5, 0)], [], [([1, 1, 9, 9], 0.3, 2)]]
    return [(frame, make_prediction(frame, *rows)) for frame, rows in zip(frames, boxes, strict=True)]


def write_all(sink, written):
    for frame, prediction in written:
        sink.write(frame, prediction)


def test_records_come_back(tmp_path, written):
    sink = JsonlSink(tmp_path)
    write_all(sink, written)
    sink.close()
    came_back = list(iter_records(tmp_path / "predictions.jsonl"))
    assert [to_record(p) for p in came_back] == [to_record(p) for _, p in written]


def test_each_record_is_there_at_once(tmp_path, written):
    sink = JsonlSink(tmp_path)
    for count, (frame, prediction) in enumerate(written, start=1):
        sink.write(frame, prediction)
        assert len(list(iter_records(tmp_path / "predictions.jsonl"))) == count
    sink.abort()
    assert len(list(iter_records(tmp_path / "predictions.jsonl"))) == len(written)


def test_polars_reads_it(tmp_path, written):
    sink = JsonlSink(tmp_path)
    write_all(sink, written)
    sink.close()
    table = polars.read_ndjson(tmp_path / "predictions.jsonl")
    assert table["source"].to_list() == ["a/x.jpg", "a/y.jpg", "clip.mp4"]
    found = table.explode("detections").drop_nulls("detections").unnest("detections")
    assert found["score"].to_list() == [0.94127, 0.5, 0.3]


def test_a_file_that_is_there_is_refused(tmp_path):
    (tmp_path / "predictions.jsonl").write_text("mine")
    with pytest.raises(OutputExists, match=r"predictions\.jsonl"):
        JsonlSink(tmp_path)
    assert (tmp_path / "predictions.jsonl").read_text() == "mine"


@pytest.mark.parametrize(
    ("end", "kept"),
    [("", 1), ('{"schema":1,"sou', 1), ("{}", 1), ("whole", 2), ("whole\n", 2), ("x" * 200_000, 1)],
    ids=["whole", "torn", "empty object", "no newline", "two", "long"],
)
def test_resuming_cuts_off_a_torn_record_and_goes_on(tmp_path, written, end, kept):
    path = tmp_path / "predictions.jsonl"
    lines = [record_line(prediction) for _, prediction in written]
    path.write_text(lines[0] + end.replace("whole", lines[1].rstrip("\n")), encoding="utf-8")
    sink = JsonlSink(tmp_path, resume=True)
    sink.write(*written[2])
    sink.close()
    assert path.read_text(encoding="utf-8") == "".join([*lines[:kept], lines[2]])


def test_resuming_without_a_file_starts_one(tmp_path, written):
    sink = JsonlSink(tmp_path, resume=True)
    sink.write(*written[0])
    sink.close()
    assert json.loads((tmp_path / "predictions.jsonl").read_text())["source"] == "a/x.jpg"


def test_a_full_disk_is_said(tmp_path, written, full_disk):
    (tmp_path / "predictions.jsonl").symlink_to(full_disk)
    sink = JsonlSink(tmp_path, resume=True)
    with pytest.raises(DiskFull, match=r"predictions\.jsonl: No space left"):
        sink.write(*written[0])
    sink.abort()


def test_a_line_that_fails_half_way_is_taken_back(tmp_path, limit_file_size):
    lines = LineFile(tmp_path / "lines.txt")
    lines.append("first\n")
    with limit_file_size(1 << 20), pytest.raises(WriteFailed, match=r"lines\.txt"):
        lines.append("x" * (2 << 20) + "\n")
    assert (tmp_path / "lines.txt").read_text() == "first\n"
    lines.append("second\n")
    lines.close()
    assert (tmp_path / "lines.txt").read_text() == "first\nsecond\n"
