from __future__ import annotations

import subprocess
import sys

import pytest

from detectattn.errors import ConfigError
from detectattn.sinks import SINKS, open_sink

WRITTEN = {
    "jsonl": ["predictions.jsonl"],
    "csv": ["predictions.csv"],
    "parquet": ["parquet/detections.parquet", "parquet/images.parquet"],
    "coco": ["coco/images.json", "coco/results.json"],
    "yolo": ["yolo/data.yaml", "yolo/labels/a/x.txt", "yolo/scores/a/x.txt"],
    "voc": ["voc/a/x.xml"],
    "crops": ["crops/person/a/x.0.jpg"],
}


@pytest.mark.parametrize("name", SINKS)
def test_each_format_is_opened_by_name_and_writes_its_files(
    tmp_path, make_frame, make_prediction, make_model_info, name
):
    frame = make_frame("a/x.jpg")
    sink = open_sink(name, tmp_path, make_model_info())
    sink.write(frame, make_prediction(frame, ([0, 0, 9, 9], 0.5, 0)))
    sink.close()
    assert (
        sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
        == (WRITTEN[name])
    )


@pytest.mark.parametrize(("name", "says"), [("paquet", "Did you mean parquet"), ("xyzzy", "Take any of jsonl, csv")])
def test_an_unknown_format_is_said(tmp_path, make_model_info, name, says):
    with pytest.raises(ConfigError, match=says) as caught:
        open_sink(name, tmp_path, make_model_info())
    assert repr(name) in caught.value.problem


def test_formats_are_loaded_when_they_are_asked_for():
    code = (
        f"import sys, detectattn.sinks; print([n for n in {sorted(SINKS)} if f'detectattn.sinks.{{n}}' in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
