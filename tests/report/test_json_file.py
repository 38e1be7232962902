"""``report.json``: the names that the field uses, nothing rounded, nothing that JSON does not know."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.report.content import Memory, Report
from detectattn.report.json_file import render_json, to_json
from detectattn.report.plain import render_plain, to_plain


def refuse(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")


def load(text: str) -> Any:
    return json.loads(text, parse_constant=refuse)


def iter_leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        assert all(type(key) is str for key in value)
        for item in value.values():
            yield from iter_leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from iter_leaves(item)
    else:
        yield value


@pytest.mark.parametrize("name", ["study", "without_truth", "lone"])
def test_the_text_holds_the_content(name: str, request: pytest.FixtureRequest) -> None:
    report: Report = request.getfixturevalue(name)
    content = to_json(report)
    assert load(render_json(report)) == content
    assert {type(leaf) for leaf in iter_leaves(content)} <= {str, int, float, bool, type(None)}
    assert (content["schema"], content["kind"]) == (1, "study")
    assert list(content)[:5] == ["schema", "kind", "created", "status", "verdict"]


def test_the_same_study_is_the_same_text(study: Report) -> None:
    assert render_json(study) == render_json(replace(study))


def test_figures_have_the_names_of_the_field_and_every_digit(study: Report) -> None:
    content = load(render_json(study))
    [model] = [m for m in study.models if m.name == "rtdetr-l"]
    entry = content["models"]["rtdetr-l"]
    assert model.speed is not None
    assert model.judgement is not None
    accuracy, figures = model.judgement.accuracy, model.speed.figures
    for metric in (
        "ap50_95", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
        "ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large",
    ):  # fmt: skip
        assert entry["accuracy"][metric] == getattr(accuracy, metric)
    assert entry["accuracy"]["per_class"]["bus"]["ap50_95"] == accuracy.per_class["bus"].ap50_95
    for name in ("p50_ms", "p95_ms", "p99_ms", "mean_ms", "forward_p50_ms", "images_per_s"):
        assert entry["speed"][name] == getattr(figures, name)
    assert entry["speed"]["load_s"] == 1.7312
    assert entry["speed"]["total_ms"] == list(model.speed.total_ms)
    assert entry["speed"]["images_per_s_by_batch"] == {"1": figures.images_per_s, "4": figures.best_images_per_s}
    assert entry["memory"] == {"peak_rss_mb": 1893.7, "peak_device_mb": 512.25}
    assert [entry["size"][name] for name in ("params_m", "gflops", "weights_mb")] == [2.6, 6.5, 5.4]
    assert entry["confusion"]["counts"][0] == [180, 7, 0, 27]
    assert entry["operating_points"]["best_f1"]["f1"] == 0.7734193548387097


def test_pairs_say_ratio_or_difference(study: Report) -> None:
    pairs = load(render_json(study))["pairs"]
    assert [p["metric"] for p in pairs] == ["p50_ms", "forward_p50_ms", "ap50_95", "ap50", "ap50_95", "ap50_95"]
    assert pairs[0] == {
        "metric": "p50_ms", "a": "rtdetr-l", "b": "yolo11n", "value_a": 103.4, "value_b": 43.1, "ratio": 2.4,
        "low": 2.31, "high": 2.49, "decided": True, "units": 8, "unit": "round",
    }  # fmt: skip
    assert (pairs[1]["low"], pairs[1]["high"]) == (None, None)
    assert (pairs[3]["class_name"], pairs[3]["difference"], pairs[3]["images_to_decide"]) == (None, -0.02, 287)
    assert (pairs[5]["class_name"], pairs[5]["difference"]) == ("tram", None)


def test_what_does_not_exist_is_null_and_says_why(study: Report, without_truth: Report) -> None:
    models = load(render_json(study))["models"]
    assert models["broken"]["accuracy"] is None
    assert models["broken"]["undefined"] == dict.fromkeys(
        ("speed", "memory", "size", "energy", "accuracy"), "the model failed"
    )
    assert models["elsewhere"]["undefined"] == dict.fromkeys(
        ("speed", "memory", "size", "energy"), "predictions from a file: no model ran"
    )
    assert models["rtdetr-l"]["undefined"] == {}
    assert models["yolo11n"]["undefined"] == {"energy": "no meter of this machine can be read"}
    variant = models["rtdetr-l decoder_layers=3"]["accuracy"]
    assert variant["ap_small"] is None
    assert variant["undefined"]["ap_small"] == "no object has an area up to 32² pixels"
    assert models["elsewhere"]["calibration"]["error"] is None
    assert models["elsewhere"]["calibration"]["miscalibrated"] is None
    assert models["yolo11n"]["calibration"]["miscalibrated"] is True
    untold = load(render_json(without_truth))["models"]["yolo11n"]
    assert untold["accuracy"] is None
    assert untold["undefined"]["accuracy"] == "there is no ground truth"


def test_names_are_kept_as_they_are(study: Report, hostile: Callable[[Report, str], Report]) -> None:
    for name in ("a|b\n`</script>", 'quote " and \\', "NaN", "mdl.ap50_95 < 0.6", "模型", "\u2028"):
        content = load(render_json(hostile(study, name)))
        assert name in content["models"]
        assert content["verdict"][0]["text"] == name
        assert name in content["agreement"]["pairs"][0]["per_class"]


def test_undecodable_names_can_be_written_as_utf8(study: Report, hostile: Callable[[Report, str], Report]) -> None:
    text = render_json(hostile(study, "caf\udce9"))
    assert "caf\udce9" in load(text.encode("utf-8").decode("utf-8"))["models"]


@given(st.floats(), st.floats())
def test_numbers_survive_exactly(first: float, second: float) -> None:
    written = load(render_plain(to_plain(Memory(first, second))))
    for key, value in (("peak_rss_mb", first), ("peak_device_mb", second)):
        assert written[key] == (value if math.isfinite(value) else None)


def test_arrays_become_lists_without_loss() -> None:
    value = np.array([[0.1, np.nan], [np.inf, 1e-300]])
    assert to_plain(value) == [[0.1, None], [None, 1e-300]]
    assert to_plain((np.float32(0.1), np.int64(3), np.bool_(True))) == [float(np.float32(0.1)), 3, True]


def test_what_json_has_nothing_for_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        to_plain({"x": {1}})


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=30), inner, max_size=5),
    max_leaves=30,
)


@given(_PLAIN)
def test_any_content_is_read_back(value: Any) -> None:
    assert load(render_plain(value)) == value


def test_records_in_a_list_stand_on_one_line() -> None:
    rows = [{"metric": "ap50_95", "note": "x" * 100}, {"metric": "ap50", "note": "y" * 100}]
    lines = render_plain({"pairs": rows}).splitlines()
    assert [json.loads(line.rstrip(",")) for line in lines[2:4]] == rows
