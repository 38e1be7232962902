"""Where things are in a JSON file."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectattn.errors import BrokenTruth, EvaluationError
from detectattn.evaluation.truth_json import find_line, load_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, max_examples=60)
@given(JSON, st.data())
def test_lines_are_those_of_the_value(tmp_path_factory, value, data):
    path = tmp_path_factory.getbasetemp() / "lines.json"
    keys, inner = [], value
    while isinstance(inner, list | dict) and inner and data.draw(st.booleans()):
        keys.append(data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner)))))
        inner = inner[keys[-1]]
    mark = "the one that is sought"
    holder = marked = json.loads(json.dumps({"top": value}))
    for key in ["top", *keys][:-1]:
        holder = holder[key]
    holder[["top", *keys][-1]] = mark
    path.write_text(json.dumps(marked, indent=1, ensure_ascii=False))
    lines = path.read_text().split("\n")
    assert mark in lines[find_line(path, ["top", *keys]) - 1]


def test_json_that_is_no_text_is_refused(tmp_path):
    for name, content in (("a.json", b"\xff\xfe\x00"), ("b.json", b"[" * 100_000)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(EvaluationError):
            load_json(tmp_path / name, BrokenTruth, "Try another")
    with pytest.raises(BrokenTruth, match="No such file"):
        load_json(tmp_path / "c.json", BrokenTruth, "Try another")
