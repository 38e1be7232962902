from __future__ import annotations

import sys

import numpy as np
import polars
import pytest

from detectattn.errors import MissingExtra, OutputExists, WriteFailed
from detectattn.sinks.parquet import ParquetSink
from detectattn.types import Detections


def tables(folder):
    return (polars.read_parquet(folder / "parquet" / f"{name}.parquet") for name in ("images", "detections"))


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def write_three(make_frame, make_prediction):
    def write(sink):
        picture, empty, video = make_frame("a/x.jpg"), make_frame("a/y.jpg"), make_frame("clip.mp4", "video", 25)
        sink.write(picture, make_prediction(picture, ([1, 2, 30.126, 40], 0.94127, 5), ([0, 0, 5, 5], 0.5, 0)))
        sink.write(empty, make_prediction(empty, warnings=("cut short", "grey")))
        sink.write(video, make_prediction(video, ([1, 1, 9, 9], 0.25, 2), traced=False))

    return write


@pytest.mark.parametrize("part_rows", [1, 2, 3, 1000])
def test_polars_reads_every_image_and_every_detection(tmp_path, write_three, part_rows):
    sink = ParquetSink(tmp_path, part_rows=part_rows)
    write_three(sink)
    sink.close()
    images, detections = tables(tmp_path)
    assert images.select("source", "index", "timestamp_s", "height", "width", "model", "detections").rows() == [
        ("a/x.jpg", 0, None, 100, 200, "demo", 2),
        ("a/y.jpg", 0, None, 100, 200, "demo", 0),
        ("clip.mp4", 25, 1.0, 100, 200, "demo", 1),
    ]
    assert images["infer_ms"].to_list() == [3, 3, 3]
    assert images["warnings"].to_list() == [None, "cut short\ngrey", None]
    assert detections.rows() == [
        ("a/x.jpg", 0, 5, "bus", 0.94127, 1.0, 2.0, 30.13, 40.0, 100),
        ("a/x.jpg", 0, 0, "person", 0.5, 0.0, 0.0, 5.0, 5.0, 101),
        ("clip.mp4", 25, 2, "car", 0.25, 1.0, 1.0, 9.0, 9.0, None),
    ]
    joined = images.join(detections, on=["source", "index"], how="left")
    assert joined["class_name"].to_list() == ["bus", "person", None, "car"]
    assert files(tmp_path) == ["detections.parquet", "images.parquet"]


def test_columns_are_those_of_the_documentation(tmp_path, write_three, documented_columns):
    sink = ParquetSink(tmp_path)
    write_three(sink)
    sink.close()
    for name, table in zip(("images", "detections"), tables(tmp_path), strict=True):
        documented = documented_columns("`--save parquet`", f"`{name}` column")
        assert documented == {column: str(kind) for column, kind in table.schema.items()}


def test_a_run_without_a_detection_has_an_empty_table(tmp_path, make_frame, make_prediction):
    frame = make_frame("\udcff.jpg")
    sink = ParquetSink(tmp_path)
    sink.write(frame, make_prediction(frame))
    sink.close()
    images, detections = tables(tmp_path)
    assert images["source"].to_list() == ["\\udcff.jpg"]
    assert detections.height == 0
    assert detections.schema["score"] == polars.Float64


def test_nothing_is_left_after_an_error(tmp_path, write_three):
    sink = ParquetSink(tmp_path, part_rows=1)
    write_three(sink)
    assert files(tmp_path) != []
    sink.abort()
    assert files(tmp_path) == []


def test_files_that_are_there_are_refused(tmp_path):
    (tmp_path / "parquet").mkdir()
    (tmp_path / "parquet" / "detections.parquet").write_text("mine")
    with pytest.raises(OutputExists):
        ParquetSink(tmp_path)
    assert files(tmp_path) == ["detections.parquet"]


def test_a_disk_that_fills_up_is_said_and_leaves_nothing(tmp_path, make_frame, make_prediction, limit_file_size):
    random = np.random.default_rng(0)
    frame = make_frame("x.jpg")
    n = 10_000
    noise = Detections(
        random.random((n, 4), np.float32) * 1e5, random.random(n, np.float32), np.arange(n, dtype=np.int32)
    )
    sink = ParquetSink(tmp_path, part_rows=n)
    with limit_file_size(50_000), pytest.raises(WriteFailed, match=r"detections\.parquet: File too large"):
        sink.write(frame, make_prediction(frame, detections=noise, class_names={}))
    sink.abort()
    assert files(tmp_path) == []


def test_without_polars_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtra, match=r'pip install "detectattn\[parquet\]"'):
        ParquetSink(tmp_path)
    assert files(tmp_path) == []
