"""Files in parts: when the next one begins, that each is whole, and that readers take them as one."""

from __future__ import annotations

import csv
import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import pytest

from detectattn.compare.entrants import FileEntrant, resolve_entrants
from detectattn.engines.base import EngineOptions
from detectattn.errors import DiskFull, SourceNotFound
from detectattn.evaluation.foreign import load_foreign
from detectattn.records import find_record_files, iter_records
from detectattn.sinks import open_sink
from detectattn.sinks.annotated_video import AnnotatedVideoSink
from detectattn.sinks.parts import PartLimit, PartsSink, PartTurn, mark_part

ROW = ((0, 0, 10, 10), 0.5, 2)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("predictions.jsonl", None, "predictions.jsonl"),
        ("predictions.jsonl", 0, "predictions-00000.jsonl"),
        ("cam.video.mp4", 123_456, "cam.video-123456.mp4"),
    ],
)
def test_names(name: str, number: int | None, expected: str) -> None:
    assert mark_part(name, number) == expected


def test_a_part_lasts_its_time_from_its_first_frame_and_all_sinks_hear_the_same(make_frame: Any) -> None:
    clock = Clock()
    turn = PartTurn(PartLimit(after_s=10), clock)
    numbers = []
    for index, now in enumerate([0, 9, 10, 19, 20, 500, 509]):
        clock.now = now
        frame = make_frame("cam", "stream", index)
        numbers.append(turn.place(frame))
        clock.now += 100  # a slow sink
        assert turn.place(frame) == numbers[-1]
    assert numbers == [0, 0, 1, 1, 2, 3, 3]


def test_a_part_ends_when_a_file_of_it_is_large_enough_or_the_frames_change_their_size(make_frame: Any) -> None:
    turn = PartTurn(PartLimit(size_bytes=100))
    numbers = []
    for index, size in enumerate([60, 99, 101, 50, 100, 0]):
        numbers.append(turn.place(make_frame("cam", "stream", index)))
        turn.note_size(size)
    assert numbers == [0, 0, 0, 1, 1, 2]
    assert turn.place(make_frame("cam", "stream", 6, size_hw=(200, 100))) == 3


def test_every_part_is_whole_while_the_run_goes_on(
    tmp_path: Path, make_frame: Any, make_prediction: Any, make_model_info: Any
) -> None:
    clock = Clock()
    turn = PartTurn(PartLimit(after_s=3), clock)
    names = ["csv", "coco", "jsonl", *(["parquet"] if find_spec("polars") else [])]
    info = make_model_info()
    sinks = [PartsSink(turn, lambda part, name=name: open_sink(name, tmp_path, info, part=part)) for name in names]
    sinks.append(PartsSink(turn, lambda part: AnnotatedVideoSink(tmp_path / "videos", lambda f, _: f.bgr, part=part)))
    for index in range(8):
        clock.now = index
        frame = make_frame("cam", "stream", index)
        for sink in sinks:
            sink.write(frame, make_prediction(frame, ROW, ROW))
    for part, indices in (("00000", [0, 1, 2]), ("00001", [3, 4, 5])):
        records = [json.loads(line) for line in (tmp_path / f"predictions/predictions-{part}.jsonl").open()]
        assert [record["index"] for record in records] == indices
        rows = list(csv.DictReader((tmp_path / f"predictions/predictions-{part}.csv").open()))
        assert [int(row["index"]) for row in rows] == sorted(indices * 2)
        assert len(json.loads((tmp_path / f"coco/{part}/results.json").read_text())) == 6
        with av.open(tmp_path / f"videos/cam.video-{part}.mp4") as container:
            assert len(list(container.decode(video=0))) == 3
        if "parquet" in names:
            import polars

            assert polars.read_parquet(tmp_path / f"parquet/images-{part}.parquet")["index"].to_list() == indices
            assert polars.read_parquet(tmp_path / f"parquet/detections-{part}.parquet").height == 6
    assert not (tmp_path / "videos/cam.video-00002.mp4").exists()
    for sink in sinks:
        sink.abort()  # as after an error: what was whole stays
    assert sorted(p.name for p in (tmp_path / "videos").iterdir()) == ["cam.video-00000.mp4", "cam.video-00001.mp4"]
    assert [p.index for p in iter_records(tmp_path)] == list(range(8))


def test_parts_are_read_as_one_in_the_order_of_their_numbers(
    tmp_path: Path, make_frame: Any, make_prediction: Any, make_model_info: Any
) -> None:
    for index, part in enumerate([0, 9, 10, 99_999, 100_000]):
        frame = make_frame("cam", "stream", index)
        sink = open_sink("jsonl", tmp_path, make_model_info(), part=part)
        sink.write(frame, make_prediction(frame, ROW))
        sink.close()
    assert [p.index for p in iter_records(tmp_path)] == [p.index for p in iter_records(tmp_path / "predictions")]
    assert [p.index for p in iter_records(tmp_path)] == [0, 1, 2, 3, 4]
    assert [p.index for p in load_foreign(tmp_path, "cam").predictions] == [0, 1, 2, 3, 4]
    (whole,) = resolve_entrants([f"cam={tmp_path}"], pytest.fail, EngineOptions(), "auto")
    assert isinstance(whole, FileEntrant)
    assert (whole.name, whole.path) == ("cam", tmp_path)
    lines = b"".join(part.read_bytes() for part in find_record_files(tmp_path))
    assert whole.sha256 == hashlib.sha256(lines).hexdigest()


def test_a_folder_without_records_is_told(tmp_path: Path) -> None:
    assert find_record_files(tmp_path) == ()
    with pytest.raises(SourceNotFound, match="no records in"):
        next(iter_records(tmp_path))


def test_a_disk_that_is_full_at_the_next_part_costs_that_part(
    tmp_path: Path, make_frame: Any, make_prediction: Any, make_model_info: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = PartTurn(PartLimit(size_bytes=1))

    def open_part(part: int) -> Any:
        if part == 1:
            raise DiskFull("no space", hint="none")
        return open_sink("jsonl", tmp_path, make_model_info(), part=part)

    sink = PartsSink(turn, open_part)
    frames = [make_frame("cam", "stream", index) for index in range(2)]
    sink.write(frames[0], make_prediction(frames[0], ROW))
    with pytest.raises(DiskFull):
        sink.write(frames[1], make_prediction(frames[1], ROW))
    sink.abort()
    assert [p.index for p in iter_records(tmp_path)] == [0]
