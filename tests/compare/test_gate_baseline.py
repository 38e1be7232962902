"""A study is held against an earlier one: what got worse fails, what cannot be compared says why."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detectattn.compare.gate import judge_baseline, load_baseline
from detectattn.errors import ConfigError
from detectattn.report.content import SCHEMA, Gate
from detectattn.results import PairedDifference


def make_report() -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "machine": {"cpu": "Model X", "logical_cores": 8, "usable_cores": 8},
        "conditions": {"median_size_hw": [480, 640]},
        "models": {
            "yolo": {
                "kind": "model",
                "base": "yolo",
                "status": "finished",
                "error": None,
                "engine": "openvino",
                "device": "cpu",
                "precision": "fp32",
                "net_hw": [640, 640],
                "accuracy": {
                    "ap50_95": 0.68, "ap50_95_low": 0.62, "ap50_95_high": 0.74, "image_count": 24, "object_count": 400,
                },
                "speed": {
                    "p50_ms": 40.0, "p50_low_ms": 39.0, "p50_high_ms": 41.0, "noise": {"trusted": True, "reasons": []},
                },
                "memory": {"peak_rss_mb": 500.0, "peak_device_mb": None},
            }
        },
    }  # fmt: skip


def judge(change: Callable[[dict[str, Any]], object], paired: PairedDifference | None = None) -> list[Gate]:
    """The gates of a study that is the baseline but for one change of the model ``yolo``."""
    now = copy.deepcopy(make_report())
    change(now["models"]["yolo"])
    gates = judge_baseline(make_report(), now, None if paired is None else {"yolo": paired})
    assert all(gate.text.endswith(".") and gate.condition.startswith("baseline: ") for gate in gates)
    return list(gates)


def pair(difference: float, low: float, high: float, decided: bool) -> PairedDifference:
    now = 0.68 + difference
    return PairedDifference("ap50_95", None, now, 0.68, difference, low, high, decided, 0.01, 24, None)


def test_the_same_study_passes() -> None:
    gates = judge(lambda model: None)
    assert [g.failed for g in gates] == [False, False, False]
    assert gates[0].text == "yolo has AP 0.680, 0.680 in the baseline, not below the lower end of its interval, 0.620."
    assert gates[1].text == "yolo takes 40.0 ms an image, 40.0 ms in the baseline: the same."
    assert gates[2].text == "yolo takes 500 MB at its peak, 500 MB in the baseline: the same."


@pytest.mark.parametrize(("ap", "failed"), [(0.62, False), (0.6199, True), (0.5, True), (0.9, False)])
def test_without_records_accuracy_must_not_lie_below_the_earlier_interval(ap: float, failed: bool) -> None:
    gate = judge(lambda model: model["accuracy"].update(ap50_95=ap))[0]
    assert gate.failed == failed
    assert f"has AP {ap:.3f}"[:11] in gate.text


@pytest.mark.parametrize(
    ("paired", "failed", "says"),
    [
        (pair(-0.03, -0.05, -0.01, True), True,
         "yolo has AP 0.650, 0.680 in the baseline: 0.030 less (0.010–0.050)."),
        (pair(-0.03, -0.07, 0.01, False), False,
         "0.680 in the baseline: 0.030 less (−0.010 to 0.070), which these 24 images do not decide."),
        (pair(0.03, 0.01, 0.05, True), False,
         "yolo has AP 0.710, 0.680 in the baseline: 0.030 more (0.010–0.050)."),
        (pair(0.0, 0.0, 0.0, False), False, "yolo has AP 0.680, as in the baseline."),
        (pair(-0.00004, -0.00005, -0.00003, True), True, "yolo has AP 0.67996, 0.68000 in the baseline: 0.0000"),
    ],
)  # fmt: skip
def test_with_records_the_paired_bootstrap_decides(paired: PairedDifference, failed: bool, says: str) -> None:
    # The unpaired rule would say otherwise, so that it is seen not to be asked.
    gate = judge(lambda model: model["accuracy"].update(ap50_95=0.7 if failed else 0.1, image_count=3), paired)[0]
    assert gate.failed == failed
    assert says in gate.text


def test_an_unknown_paired_difference_leaves_it_to_the_intervals() -> None:
    unknown = PairedDifference(
        "ap50_95", None, *([float("nan")] * 5), decided=False, standard_error=1.0, images=1, images_to_decide=None
    )
    assert judge(lambda model: model["accuracy"].update(ap50_95=0.1), unknown)[0].failed


@pytest.mark.parametrize("figure", ["image_count", "object_count"])
def test_accuracy_on_other_images_is_not_compared(figure: str) -> None:
    gate = judge(lambda model: model["accuracy"].update({"ap50_95": 0.1, figure: 3}))[0]
    assert not gate.failed
    assert "not compared: other images" in gate.text
    assert "3 " in gate.text


def test_accuracy_that_was_known_must_be_known() -> None:
    gate = judge(lambda model: model.update(accuracy=None))[0]
    assert gate.failed
    assert gate.text == "yolo had AP 0.680 in the baseline and has none here: there is no ground truth for it."


def test_a_baseline_without_accuracy_or_interval_cannot_judge_it() -> None:
    then = make_report()
    then["models"]["yolo"]["accuracy"]["ap50_95_low"] = None
    now = copy.deepcopy(then)
    now["models"]["yolo"]["accuracy"]["ap50_95"] = 0.1
    gate = judge_baseline(then, now)[0]
    assert not gate.failed
    assert "too few to say" in gate.text
    then["models"]["yolo"]["accuracy"] = None
    gate = judge_baseline(then, now)[0]
    assert not gate.failed
    assert "not compared: the baseline has none" in gate.text


@pytest.mark.parametrize(
    ("times", "failed", "says"),
    [
        ((43.0, 42.0, 44.0), True, "40.0 ms in the baseline: more than 5% longer, with intervals apart."),
        ((41.9, 41.5, 42.3), False, "4.7% longer"),
        ((43.0, 40.9, 45.0), False, "7.5% longer"),
        ((20.0, 19.0, 21.0), False, "50.0% shorter"),
    ],
)  # fmt: skip
def test_time_must_not_rise_by_more_than_noise(times: tuple[float, float, float], failed: bool, says: str) -> None:
    gate = judge(lambda m: m["speed"].update(zip(("p50_ms", "p50_low_ms", "p50_high_ms"), times, strict=True)))[1]
    assert gate.failed == failed
    assert says in gate.text


SLOW = {"p50_ms": 400.0, "p50_low_ms": 390.0, "p50_high_ms": 410.0}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: r["machine"].update(cpu="Model Y"), "another machine (Model X then, Model Y now)"),
        (lambda r: r["machine"].update(usable_cores=2), "another machine (8 usable cores then, 2 usable cores now)"),
        (lambda r: r["machine"].update(logical_cores=4), "another machine (8 cores then, 4 cores now)"),
        (lambda r: r["machine"].update(cpu=None), "which processor it ran on is unknown"),
        (lambda r: r.update(conditions={"median_size_hw": [720, 1280]}), "another size (640×480 then, 1280×720 now)"),
        (lambda r: r["models"]["yolo"].update(engine="torch"), "another engine (openvino then, torch now)"),
        (lambda r: r["models"]["yolo"].update(device="cuda:0"), "another device (cpu then, cuda:0 now)"),
        (lambda r: r["models"]["yolo"].update(precision="int8"), "another precision (fp32 then, int8 now)"),
        (lambda r: r["models"]["yolo"].update(net_hw=[320, 640]), "another input size (640×640 then, 640×320 now)"),
        (lambda r: r["models"]["yolo"].update(speed=None), "it was not measured in this study"),
        (lambda r: r["models"]["yolo"]["speed"].update(p50_low_ms=None), "too few rounds"),
        (
            lambda r: r["models"]["yolo"]["speed"].update(noise={"trusted": False, "reasons": ["load 3.0"]}),
            "its timings are not to be trusted (load 3.0)",
        ),
    ],
)
def test_times_that_cannot_be_compared_say_why(change: Callable[[dict[str, Any]], object], reason: str) -> None:
    now = make_report()
    now["models"]["yolo"]["speed"].update(SLOW)
    assert judge_baseline(make_report(), now)[1].failed
    change(now)
    gate = judge_baseline(make_report(), now)[1]
    assert not gate.failed
    assert gate.text.startswith("The time of yolo is not compared: ")
    assert reason in gate.text


def test_a_noisy_baseline_cannot_judge_times() -> None:
    then, now = make_report(), make_report()
    then["models"]["yolo"]["speed"]["noise"] = {"trusted": False, "reasons": []}
    now["models"]["yolo"]["speed"].update(SLOW)
    gate = judge_baseline(then, now)[1]
    assert not gate.failed
    assert "the baseline's timings are not to be trusted." in gate.text


@pytest.mark.parametrize(
    ("rss", "failed", "says"),
    [(550.0, False, "10.0% more"), (551.0, True, "more than 10% more"), (400.0, False, "20.0% less")],
)
def test_memory_must_not_rise_by_more_than_a_tenth(rss: float, failed: bool, says: str) -> None:
    gate = judge(lambda model: model["memory"].update(peak_rss_mb=rss))[2]
    assert gate.failed == failed
    assert says in gate.text


def test_memory_of_the_device_goes_before_that_of_the_process() -> None:
    then, now = make_report(), make_report()
    then["models"]["yolo"]["memory"]["peak_device_mb"] = 100.0
    now["models"]["yolo"]["memory"].update(peak_rss_mb=5000.0, peak_device_mb=105.0)
    gate = judge_baseline(then, now)[2]
    assert not gate.failed
    assert "105 MB" in gate.text
    now["models"]["yolo"]["memory"]["peak_device_mb"] = 150.0
    assert judge_baseline(then, now)[2].failed


def test_memory_is_compared_on_another_machine_but_not_with_another_engine() -> None:
    now = make_report()
    now["machine"]["cpu"] = "Model Y"
    now["models"]["yolo"]["memory"]["peak_rss_mb"] = 5000.0
    assert judge_baseline(make_report(), now)[2].failed
    now["models"]["yolo"]["engine"] = "torch"
    assert not judge_baseline(make_report(), now)[2].failed


def test_a_missing_or_failed_model_fails() -> None:
    now = make_report()
    now["models"]["other"] = now["models"].pop("yolo")
    (gate,) = judge_baseline(make_report(), now)
    assert gate.failed
    assert gate.text == "yolo is in the baseline and missing from this study."
    (gate,) = judge(lambda model: model.update(status="failed", error="out of memory"))
    assert gate.failed
    assert "failed in this study: out of memory." in gate.text


def test_a_variant_that_was_not_swept_again_or_a_model_that_had_failed_is_not_compared() -> None:
    then = make_report()
    then["models"]["yolo@320"] = {**then["models"]["yolo"], "base": "yolo"}
    then["models"]["broken"] = {"status": "failed"}
    gates = judge_baseline(then, make_report())
    assert not any(gate.failed for gate in gates)
    assert [g.text for g in gates[3:]] == [
        "yolo@320 is not compared: this study has no such variant of yolo.",
        "broken is not compared: it had not finished in the baseline.",
    ]


def test_predictions_made_elsewhere_are_judged_by_accuracy_alone() -> None:
    then = make_report()
    then["models"]["yolo"].update(kind="predictions", speed=None, memory=None)
    assert [g.condition for g in judge_baseline(then, then)] == ["baseline: the accuracy of yolo has not fallen"]


@pytest.mark.parametrize("broken", [{}, {"models": {"yolo": {}}}, {"models": {"yolo": {"status": "finished"}}}])
def test_reports_with_holes_do_not_break_it(broken: dict[str, Any]) -> None:
    assert isinstance(judge_baseline(broken, make_report()), tuple)
    assert all(isinstance(gate.text, str) for gate in judge_baseline(make_report(), broken))


def test_a_baseline_is_read(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("\ufeff" + json.dumps(make_report()), encoding="utf-8")
    assert load_baseline(path) == load_baseline(str(path)) == make_report()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"schema": 1,\n "models": {]}', "broken JSON at line 2, column 13"),
        (b"", "broken JSON at line 1"),
        (b"\xff\xfe\x00", "is no JSON in UTF-8"),
        (b"[" * 200_000, "is no JSON in UTF-8"),
        (b"[1, 2]", "holds no study"),
        (b"{}", "holds no study"),
        (b'{"schema": 1, "models": {}}', "holds no study"),
        (b'{"schema": "1", "models": {"a": {}}}', "holds no study"),
        (b'{"schema": 999, "models": {"a": {}}}', "written by a later version (schema 999"),
    ],
)
def test_a_baseline_that_cannot_be_used_says_why(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load_baseline(path)
    assert problem in raised.value.problem
    assert f"--baseline {path}" in raised.value.problem


def test_a_missing_baseline_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_baseline(tmp_path / "nothing.json")
    with pytest.raises(ConfigError, match="is an address"):
        load_baseline("s3://bucket/report.json")
    with pytest.raises(ConfigError, match="is a folder") as raised:
        load_baseline(tmp_path)
    assert str(tmp_path / "report.json") in raised.value.hint
