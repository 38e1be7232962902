from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.errors import NewerSchema, SourceNotFound, TornRecord, UnreadableRecord
from detectattn.records import (
    SCHEMA,
    failure_from_record,
    failure_line,
    failure_to_record,
    from_record,
    iter_records,
    manifest_from_json,
    manifest_to_json,
    parse_record,
    record_line,
    to_record,
)
from detectattn.types import Detections, FrameFailure, Prediction, RunManifest, StageTiming

DOC = (Path(__file__).parents[1] / "docs/records.md").read_text(encoding="utf-8")

EXAMPLE = {
    "schema": 1, "source": "street/bus.jpg", "index": 0, "size_hw": [1080, 810], "model": "rtdetr-l",
    "detections": [
        {"xyxy": [22.91, 231.28, 805.0, 756.83], "score": 0.94127, "class_id": 5, "class_name": "bus", "query_id": 17}
    ],
    "timing": {"decode_ms": 7.9, "preprocess_ms": 1.2, "infer_ms": 358.0, "postprocess_ms": 0.2, "write_ms": 9.4},
}  # fmt: skip


def detections(*rows, query_id=True):
    n = len(rows)
    return Detections(
        np.array([row[0] for row in rows], np.float32).reshape(n, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.int32),
        np.arange(n, dtype=np.int32) if query_id else None,
    )


def prediction(found=None, **changes):
    fields = {"source": "a.jpg", "index": 0, "size_hw": (100, 200), "model": "m", "class_names": {5: "bus"}}
    return Prediction(detections=detections() if found is None else found, **(fields | changes))


# ---------------------------------------------------------------------------------------------------------- the shape


def test_a_record_has_the_documented_shape_keys_in_order_and_short_numbers():
    found = Detections(
        np.array([[22.91, 231.28, 805.0, 756.83]], np.float32),
        np.array([0.94127], np.float32),
        np.array([5], np.int32),
        np.array([17], np.int32),
    )
    timing = StageTiming(7.9, 1.2, 358.0, 0.2, 9.4)
    record = prediction(found, source="street/bus.jpg", size_hw=(1080, 810), model="rtdetr-l", timing=timing)
    # As text: values, order of keys and the digits of every number at once.
    assert record_line(record) == json.dumps(EXAMPLE, separators=(",", ":")) + "\n"


def test_optional_fields_appear_only_where_they_apply():
    plain = to_record(prediction(detections(([0, 0, 1, 1], 0.5, 5), query_id=False)))
    assert "timestamp_s" not in plain
    assert "warnings" not in plain
    assert "query_id" not in plain["detections"][0]
    full = to_record(prediction(timestamp_s=0.0, warnings=("cut short",)))
    assert list(full) == [
        "schema", "source", "index", "timestamp_s", "size_hw", "model", "detections", "timing", "warnings",
    ]  # fmt: skip
    assert full["timestamp_s"] == 0.0
    assert full["warnings"] == ["cut short"]


def test_rounding():
    found = detections(([-0.001, 1.005001, 99.994, 99.996], 0.123456789, 5))
    record = to_record(
        prediction(found, timestamp_s=1 / 3, timing=StageTiming(decode_ms=1 / 3, infer_ms=np.float32(0.1)))
    )
    row = record["detections"][0]
    assert json.dumps(row["xyxy"]) == "[0.0, 1.01, 99.99, 100.0]"
    assert json.dumps(row["score"]) == "0.12346"
    assert record["timestamp_s"] == 0.333333
    assert record["timing"] == {"decode_ms": 0.333, "preprocess_ms": 0, "infer_ms": 0.1, "postprocess_ms": 0,
                                "write_ms": 0}  # fmt: skip


def test_a_class_without_a_name_keeps_its_index():
    record = to_record(prediction(detections(([0, 0, 1, 1], 0.5, 7))))
    assert record["detections"][0]["class_name"] == "class 7"
    assert from_record(record).class_names == {7: "class 7"}


# ------------------------------------------------------------------------------------------------------- round trips

texts = st.text(st.characters(), max_size=12)
hundredths = st.integers(-2_000_000, 13_000_000).map(lambda n: n / 100 + 0.0)
thousandths = st.integers(0, 10**9).map(lambda n: n / 1000)


@st.composite
def records(draw):
    names = draw(st.dictionaries(st.integers(0, 2**31 - 1), texts, min_size=1, max_size=3))
    traced = draw(st.booleans())
    rows = []
    for class_id in draw(st.lists(st.sampled_from(sorted(names)), max_size=4)):
        row = {"xyxy": [draw(hundredths) for _ in range(4)], "score": draw(st.integers(0, 10**5)) / 10**5}
        row |= {"class_id": class_id, "class_name": names[class_id]}
        if traced:
            row["query_id"] = draw(st.integers(0, 2**31 - 1))
        rows.append(row)
    record = {"schema": 1, "source": draw(texts), "index": draw(st.integers(0, 10**9))}
    if draw(st.booleans()):
        record["timestamp_s"] = draw(st.integers(0, 10**12)) / 10**6
    record["size_hw"] = draw(st.lists(st.integers(1, 200_000), min_size=2, max_size=2))
    record |= {"model": draw(texts), "detections": rows}
    record["timing"] = {name: draw(thousandths) for name in StageTiming.__dataclass_fields__}
    if draw(st.booleans()):
        record["warnings"] = draw(st.lists(texts, min_size=1, max_size=2))
    return record


@given(records())
def test_a_record_comes_back_as_it_was(record):
    again = to_record(from_record(record))
    assert again == record
    assert list(again) == list(record)


@given(records())
def test_a_line_is_one_line_of_utf8_and_comes_back_as_it_was(record):
    line = record_line(from_record(record))
    assert len(line.splitlines()) == 1
    assert line.endswith("\n")
    assert to_record(parse_record(line.encode("utf-8").decode("utf-8"))) == record


floats = st.floats(-1e9, 1e9, width=32)


@given(st.lists(st.tuples(st.tuples(floats, floats, floats, floats), st.floats(0, 1, width=32)), max_size=4))
def test_numbers_are_rounded_once_only(rows):
    # Whatever the network puts out: what was read from a record is written as that record again.
    once = to_record(prediction(detections(*((list(box), score, 5) for box, score in rows))))
    assert to_record(from_record(once)) == once


def test_no_detections_come_back_traceable():
    found = from_record(to_record(prediction())).detections
    assert len(found) == 0
    assert found.query_id is not None


# ------------------------------------------------------------------------------------------------------- other schemas


def test_unknown_fields_are_passed_over():
    record = EXAMPLE | {"mood": "fine", "timing": EXAMPLE["timing"] | {"rest_ms": 1.0}}
    record["detections"] = [EXAMPLE["detections"][0] | {"mask": [1, 2]}]
    assert to_record(from_record(record)) == EXAMPLE


def test_a_newer_schema_is_refused_with_what_to_do():
    with pytest.raises(NewerSchema, match=r"schema 2.*reads up to 1.*pip install -U"):
        from_record(EXAMPLE | {"schema": SCHEMA + 1})


ROW = EXAMPLE["detections"][0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": None}, "schema is None"),
        ({"schema": 0}, "schema is 0"),
        ({"source": 3}, "expected text, got 3"),
        ({"index": -1}, "got -1"),
        ({"index": True}, "got True"),
        ({"size_hw": [3]}, "values to unpack"),
        ({"detections": 5}, "int"),
        ({"detections": ["x"]}, "str"),
        ({"detections": [{}]}, "'xyxy' is missing"),
        ({"detections": [ROW | {"xyxy": [1, 2, 3]}]}, "xyxy must be"),
        ({"detections": [ROW | {"xyxy": [1, 2, 3, "a"]}]}, "convert"),
        ({"detections": [ROW | {"score": 1e300}]}, "not finite"),
        ({"detections": [ROW | {"class_id": 2**40}]}, "int"),
        ({"detections": [ROW | {"class_name": None}]}, "expected text"),
        ({"timing": {"infer_ms": float("inf")}}, "finite"),
        ({"timestamp_s": "soon"}, "real number"),
    ],
)
def test_what_is_no_record_is_refused_with_the_reason(change, says):
    with pytest.raises(UnreadableRecord) as caught:
        from_record(EXAMPLE | change)
    assert says in caught.value.problem


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(EXAMPLE)), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(EXAMPLE)), json_values)
def test_any_damage_is_an_expected_error(field, value):
    try:
        came_back = from_record(EXAMPLE | {field: value})
    except UnreadableRecord:
        return
    assert isinstance(record_line(came_back), str)


# --------------------------------------------------------------------------------------------------------------- files


def lines(count):
    return [record_line(prediction(source=f"{i}.jpg")) for i in range(count)]


def test_iterating_a_file(tmp_path):
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(lines(3)) + "\n", encoding="utf-8")
    assert [p.source for p in iter_records(path)] == ["0.jpg", "1.jpg", "2.jpg"]


def test_a_whole_last_line_needs_no_newline(tmp_path):
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(lines(2)).rstrip("\n"), encoding="utf-8")
    assert len(list(iter_records(path))) == 2


@pytest.mark.parametrize("cut", [1, 10, -3])
def test_a_torn_last_line_is_told_apart_after_all_whole_ones(tmp_path, cut):
    path = tmp_path / "predictions.jsonl"
    whole = "".join(lines(2))
    path.write_text(whole + record_line(prediction(source="가.jpg"))[:cut], encoding="utf-8")
    reader = iter_records(path)
    assert [next(reader).source, next(reader).source] == ["0.jpg", "1.jpg"]
    with pytest.raises(TornRecord, match=r"predictions\.jsonl, line 3: .*cut short.*--resume"):
        next(reader)
    assert len(list(iter_records(path, skip_torn=True))) == 2


def test_a_file_torn_inside_a_character(tmp_path):
    path = tmp_path / "predictions.jsonl"
    path.write_bytes("".join(lines(1)).encode() + '{"source": "가'.encode()[:-1])
    with pytest.raises(TornRecord, match="line 2"):
        list(iter_records(path))


@pytest.mark.parametrize(
    ("broken", "error", "says"),
    [
        (b"{oops\n", UnreadableRecord, "line 2: the record cannot be read"),
        (b"[]\n", UnreadableRecord, "line 2: .*expected an object, got list"),
        (b'{"schema": 1, "source": "a"}\n', UnreadableRecord, "line 2: .*'detections' is missing"),
        (b"\xff\n", UnreadableRecord, "line 2: "),
        (b'{"schema": NaN}\n', UnreadableRecord, "line 2: .*NaN is no JSON"),
        (b"[" * 100_000 + b"\n", UnreadableRecord, "line 2: "),
        (b'{"schema": 9}\n', NewerSchema, "line 2: .*schema 9"),
        (b'{"schema": 9}', NewerSchema, "line 2: .*schema 9"),
    ],
)
def test_a_broken_line_is_named(tmp_path, broken, error, says):
    path = tmp_path / "predictions.jsonl"
    path.write_bytes(lines(1)[0].encode() + broken + (lines(1)[0].encode() if broken.endswith(b"\n") else b""))
    with pytest.raises(error, match=says) as caught:
        list(iter_records(path))
    assert type(caught.value) is error


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SourceNotFound, match=r"none\.jsonl"):
        list(iter_records(tmp_path / "none.jsonl"))


# ----------------------------------------------------------------------------------------------- failures, manifests


@pytest.mark.parametrize("index", [None, 12])
def test_a_failure_comes_back_as_it_was(index):
    failure = FrameFailure("clip\udcff.mp4", index, "undecodable-video", "breaks off\nat 가")
    line = failure_line(failure)
    assert list(json.loads(line)) == ["schema", "source", "index", "code", "message"]
    assert line.encode("utf-8").count(b"\n") == 1
    assert failure_from_record(json.loads(line)) == failure


@pytest.mark.parametrize(
    ("change", "error"),
    [({"schema": 2}, NewerSchema), ({"index": -1}, UnreadableRecord), ({"code": None}, UnreadableRecord)],
)
def test_a_failure_that_is_none(change, error):
    with pytest.raises(error):
        failure_from_record(failure_to_record(FrameFailure("a", None, "c", "m")) | change)


def manifest():
    return RunManifest(
        command=["detectattn", "predict", "a\udcff.jpg"],
        config={"out": Path("runs/x"), "imgsz": (640, 480), "limit": float("inf"), "seed": np.int64(3)},
        models=[{"name": "m", "class_names": {0: "버스"}}],
        versions={"python": "3.11"},
        machine={"cores": 2, "gpus": []},
        working_directory="/data/\udcff",
        status="finished",
        counts={"frames": 2, "skipped": {".txt": 1}},
        timing={"total_s": 1.5},
        failures=[FrameFailure("b.jpg", None, "truncated-image", "cut short")],
    )


def test_a_manifest_is_text_that_comes_back():
    text = manifest_to_json(manifest())
    record = json.loads(text.encode("utf-8"))
    assert list(record) == [
        "schema", "command", "working_directory", "status", "config", "models", "versions", "machine", "counts",
        "timing", "failures",
    ]  # fmt: skip
    assert record["config"] == {"out": str(Path("runs/x")), "imgsz": [640, 480], "limit": "inf", "seed": 3}
    assert record["models"][0]["class_names"] == {"0": "버스"}
    again = manifest_from_json(text)
    assert again.failures == manifest().failures
    assert again.command == manifest().command
    assert again.working_directory == manifest().working_directory
    assert manifest_to_json(again) == text


@pytest.mark.parametrize(
    ("text", "error"), [("{", UnreadableRecord), ('{"schema": 1}', UnreadableRecord), ('{"schema": 2}', NewerSchema)]
)
def test_a_manifest_that_is_none(text, error):
    with pytest.raises(error):
        manifest_from_json(text)


# ------------------------------------------------------------------------------------------------- the documentation


def doc_examples(heading):
    section = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", DOC, re.M | re.S)
    assert section is not None, heading
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", section[1], re.S)]


def doc_fields(heading):
    """First cells of the tables in a section."""
    section = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", DOC, re.M | re.S)
    assert section is not None, heading
    return re.findall(r"^\| `([^`]+)` \|", section[1], re.M)


def test_the_documented_records_are_real_ones():
    examples = doc_examples("`predictions.jsonl`")
    assert len(examples) >= 2
    for example in examples:
        assert to_record(from_record(example)) == example
        assert list(to_record(from_record(example))) == list(example)


def test_every_field_of_a_record_is_documented():
    found = detections(([0, 0, 1, 1], 0.5, 5))
    record = to_record(prediction(found, timestamp_s=0.5, warnings=("w",), reduced=2))
    fields = [name for name in record if name not in ("detections", "timing")]
    fields += [f"detections[].{name}" for name in record["detections"][0]]
    fields += [f"timing.{name}" for name in record["timing"]]
    assert sorted(doc_fields("`predictions.jsonl`")) == sorted(fields)


def test_every_field_of_a_failure_and_a_manifest_is_documented():
    assert doc_fields("`failures.jsonl`") == list(failure_to_record(FrameFailure("a", None, "c", "m")))
    assert doc_fields("`run.json`") == list(json.loads(manifest_to_json(manifest())))
    for example in doc_examples("`failures.jsonl`"):
        assert failure_to_record(failure_from_record(example)) == example
