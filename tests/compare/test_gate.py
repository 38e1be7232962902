"""A condition that is true fails a study, and so does one that cannot be judged; the text has the figures."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from detectattn.compare.gate import judge_conditions, parse_condition
from detectattn.compare.gate_figures import FIGURE_NAMES
from detectattn.report.content import Gate, Judgement, ModelReport, Report
from detectattn.report.json_file import to_json
from detectattn.results import ClassAccuracy

REPORT: Mapping[str, Any] = {
    "schema": 1,
    "models": {
        "new": {
            "status": "finished",
            "accuracy": {
                "ap50_95": 0.47432,
                "ap50": 0.7,
                "ap_large": None,
                "undefined": {"ap_large": "there is no large object in these images"},
                "per_class": {"car": {"ap50_95": 0.6}, "traffic light": {"ap50_95": 0.2}},
            },
            "speed": {"p50_ms": 61.84, "load_s": 0.5, "noise": {"trusted": True, "reasons": []}},
            "memory": {"peak_rss_mb": 1234.6, "peak_device_mb": None},
            "size": {"gflops": 6.5},
            "energy": None,
        },
        "old": {
            "status": "finished",
            "accuracy": {"ap50_95": 0.6, "ap50": math.nan, "per_class": {}},
            "speed": {"p50_ms": 41.2, "noise": {"trusted": False, "reasons": ["other work was running"]}},
            "memory": {"peak_rss_mb": "much"},
        },
        "bare": {
            "status": "finished",
            **dict.fromkeys(("accuracy", "operating_points", "speed", "memory", "size", "energy")),
            "undefined": {"accuracy": "there is no ground truth", "speed": "it was not timed"},
        },
        "broken": {"status": "failed", "error": "out of memory"},
    },
}
NAMES = (*REPORT["models"], "absent")


def judge(text: str, report: Mapping[str, Any] = REPORT) -> Gate:
    (gate,) = judge_conditions([parse_condition(text, NAMES)], report)
    assert gate.condition == text
    assert gate.text.endswith(".")
    return gate


@pytest.mark.parametrize(
    ("text", "failed", "says"),
    [
        ("new.ap50_95 < 0.6", True, "The ap50_95 of new is 0.474, which is below 0.6."),
        ("old.ap50_95 < 0.6", False, "The ap50_95 of old is 0.600, which is not below 0.6."),
        ("old.ap50_95 <= 0.6", True, "The ap50_95 of old is 0.600, which is at or below 0.6."),
        ("old.ap50_95 == 60%", True, "The ap50_95 of old is 0.600, which is equal to 0.6."),
        ("old.ap50_95 != 60%", False, "The ap50_95 of old is 0.600, which is not other than 0.6."),
        ("new.ap50_95 >= 0.5", False, "The ap50_95 of new is 0.474, which is not at or above 0.5."),
        ("new.p50_ms > 50 ms", True, "The p50_ms of new is 61.8 ms, which is above 50 ms."),
        ("new.load_s > 600 ms", False, "The load_s of new is 0.500 s, which is not above 0.6 s."),
        ("new.peak_rss_mb > 1 GB", True, "The peak_rss_mb of new is 1,230 MB, which is above 1,000 MB."),
        ("new.gflops > 6", True, "The gflops of new is 6.50 GFLOPs, which is above 6 GFLOPs."),
        ("new.per_class.car.ap50_95 < 0.5", False, "The ap50_95 of new on car is 0.600, which is not below 0.5."),
        ("new.ap50_95 < old.ap50_95", True, "The ap50_95 of new is 0.474, which is below that of old, 0.600."),
        (
            "new.ap50_95 < 0.9 * old.ap50_95",
            True,
            "The ap50_95 of new is 0.474, which is below 0.9 × that of old (0.600), 0.540.",
        ),
        (
            "new.ap50 > new.ap50_95",
            True,
            "The ap50 of new is 0.700, which is above the ap50_95 of new, 0.474.",
        ),
        (
            "new.p50_ms > new.load_s",
            False,
            "The p50_ms of new is 61.8 ms, which is not above the load_s of new, 500 ms.",
        ),
        (
            "old.p50_ms > 10",
            True,
            "The p50_ms of old is 41.2 ms, which is above 10 ms. "
            "The timings of old are not to be trusted: other work was running.",
        ),
    ],
)  # fmt: skip
def test_the_text_has_the_figures(text: str, failed: bool, says: str) -> None:
    gate = judge(text)
    assert (gate.failed, gate.text) == (failed, says)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("new.ap_large < 0.1", "The ap_large of new cannot be judged: there is no large object in these images."),
        ("new.ap_small < 0.1", "The ap_small of new cannot be judged: it does not exist."),
        ("old.ap50 < 0.1", "The ap50 of old cannot be judged: it does not exist."),
        ("old.peak_rss_mb > 1", "The peak_rss_mb of old cannot be judged: it does not exist."),
        ("new.peak_device_mb > 1", "cannot be judged: it ran on a device without memory of its own"),
        ("new.p50_low_ms > 1", "cannot be judged: too few rounds were timed."),
        ("new.best_f1.f1 > 0.1", "cannot be judged: it does not exist."),
        ("bare.ap50 < 0.1", "cannot be judged: there is no ground truth."),
        ("bare.best_f1.f1 < 0.1", "cannot be judged: there is no ground truth."),
        ("bare.p50_ms > 1", "cannot be judged: it was not timed."),
        ("bare.peak_rss_mb > 1", "cannot be judged: it does not exist."),
        ("broken.ap50 < 0.1", "cannot be judged: broken failed (out of memory)."),
        ("absent.ap50 < 0.1", "cannot be judged: absent was not measured."),
        ("new.per_class.cart.ap50_95 < 0.1", "no object of class cart; did you mean car."),
        ("new.per_class.zebra.ap50_95 < 0.1", "no object of class zebra."),
        ("new.ap50 < bare.ap50", "The ap50 of bare cannot be judged: there is no ground truth."),
        ("new.ap50 > 2 * absent.ap50", "The ap50 of absent cannot be judged: absent was not measured."),
    ],
)
def test_what_does_not_exist_fails_with_the_reason(text: str, reason: str) -> None:
    gate = judge(text)
    assert gate.failed
    assert reason in gate.text


@pytest.mark.parametrize(
    ("value", "shown"), [(0.59996, "0.59996"), (0.5999999, "0.5999999"), (0.6, "0.600"), (0.61, "0.610")]
)
def test_rounding_does_not_hide_on_which_side_a_figure_lies(value: float, shown: str) -> None:
    report = {"models": {"new": {"status": "finished", "accuracy": {"ap50_95": value}}}}
    assert f"is {shown}, which" in judge("new.ap50_95 < 0.6", report).text


def test_doubt_about_the_other_model_is_said_too() -> None:
    assert "The timings of old are not to be trusted" in judge("new.p50_ms > old.p50_ms").text
    assert "not to be trusted" not in judge("new.ap50_95 < old.ap50_95").text


def test_all_conditions_are_judged_in_order() -> None:
    texts = ["new.ap50 < 0.1", "old.ap50_95 < 0.9"]
    gates = judge_conditions([parse_condition(text, NAMES) for text in texts], REPORT)
    assert [(g.condition, g.failed) for g in gates] == [(texts[0], False), (texts[1], True)]
    assert judge_conditions([], REPORT) == ()


@pytest.mark.parametrize("report", [{}, {"models": []}, {"models": {"new": 3}}, {"models": {"new": {"accuracy": 7}}}])
def test_a_report_that_is_none_fails_conditions(report: Mapping[str, Any]) -> None:
    assert judge("new.ap50 < 0.1", report).failed


def fill(kind: Any) -> Any:
    """Any value of a type: every number is 1, every collection empty, nothing None that need not be."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return fill(next(part for part in inner if part is not type(None)))
    if origin is Literal:
        return inner[0]
    if origin is np.ndarray:
        return np.zeros((0, 0))
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{field.name: fill(hints[field.name]) for field in fields(kind)})
    simple: dict[Any, Any] = {float: 1.0, int: 1, str: "x", bool: True, tuple: (), Mapping: {}}
    return next(
        value for known, value in simple.items() if (origin or kind) is known or issubclass(origin or kind, known)
    )


def test_every_figure_is_where_a_report_has_it() -> None:
    judged: Judgement = fill(Judgement)
    judged = replace(judged, accuracy=replace(judged.accuracy, per_class={"traffic light": fill(ClassAccuracy)}))
    model: ModelReport = replace(fill(ModelReport), name="new", status="finished", judgement=judged)
    content = to_json(replace(fill(Report), models=(model,)))
    by_class = [f"accuracy.per_class.traffic light.{name}" for name in ("ap50_95", "ap50", "ap_small", "ar_100")]
    for figure in (*map(str, FIGURE_NAMES), *by_class):
        gate = judge(f"new.{figure} == 1", content)
        assert "cannot be judged" not in gate.text, gate.text
        assert gate.failed
