"""What passes at which precision, and what is said of what does not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.conversion.gate import compute_burden, describe_figures, judge_gate
from detectattn.conversion.gate_figures import AccuracyFigures, GateFigures, RawFigures
from detectattn.conversion.gate_limits import GATE_LIMITS, MIN_OBJECTS, MIN_PAIRS

PERFECT = GateFigures(
    picture_count=24, conf=0.25, reference_count=5000, candidate_count=5000, unmatched_count=0, pair_count=5000,
    box_px_p50=0.0, box_px_p99=0.0, box_share_p50=0.0, box_share_p99=0.0, score_p50=0.0, score_p99=0.0,
)  # fmt: skip
RAW = RawFigures(picture_count=4, row_count=400, box_error=0.0, score_error=0.0, box_floor=0.0, score_floor=0.0)
FEW = replace(PERFECT, reference_count=0, candidate_count=0, pair_count=0, box_px_p50=None, box_px_p99=None,
              score_p50=None, score_p99=None, raw=RAW)  # fmt: skip
every_precision = pytest.mark.parametrize("precision", GATE_LIMITS)


def accuracy(drop: float, objects: int = 900) -> GateFigures:
    return replace(PERFECT, accuracy=AccuracyFigures(24, objects, 0.5, 0.5 - drop))


@every_precision
def test_a_model_equal_to_its_original_passes(precision: str) -> None:
    for figures in (PERFECT, FEW, accuracy(0.0)):
        assert judge_gate(figures, precision) == ()
        assert compute_burden(figures, precision) == 0


@every_precision
@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("box_share_p50", "boxes moved by"),
        ("box_share_p99", "one box in a hundred moved by"),
        ("score_p50", "scores changed by"),
        ("score_p99", "one score in a hundred"),
    ],
)
def test_drift_up_to_the_limit_passes(precision: str, field: str, says: str) -> None:
    limit = getattr(GATE_LIMITS[precision], field)
    assert judge_gate(replace(PERFECT, **{field: limit}), precision) == ()
    (violation,) = judge_gate(replace(PERFECT, **{field: limit * 1.01}), precision)
    assert violation.startswith(says)
    shown = f"{limit:.2%}" if field.startswith("box") else f"{limit:g}"
    assert f"at most {shown} at {precision}" in violation


@every_precision
def test_unmatched_up_to_the_limit_pass(precision: str) -> None:
    allowed = round(GATE_LIMITS[precision].unmatched_share * 10_000)
    assert judge_gate(replace(PERFECT, unmatched_count=allowed), precision) == ()
    (violation,) = judge_gate(replace(PERFECT, unmatched_count=allowed + 1), precision)
    assert violation.startswith(f"{allowed + 1} of 10,000 detections")


@every_precision
def test_one_unmatched_of_few_passes(precision: str) -> None:
    few = replace(PERFECT, reference_count=20, candidate_count=20, pair_count=MIN_PAIRS)
    assert judge_gate(replace(few, unmatched_count=1), precision) == ()
    assert len(judge_gate(replace(few, unmatched_count=2), precision)) == 1


@every_precision
def test_loss_of_accuracy_up_to_the_limit_passes(precision: str) -> None:
    limit = GATE_LIMITS[precision].ap_drop
    assert judge_gate(accuracy(limit * 0.99), precision) == ()
    (violation,) = judge_gate(accuracy(limit * 1.01), precision)
    assert violation.startswith("AP fell by")
    assert judge_gate(accuracy(-0.3), precision) == ()


def test_accuracy_on_few_objects_is_not_judged() -> None:
    assert judge_gate(accuracy(0.5, MIN_OBJECTS - 1), "fp32") == ()
    assert judge_gate(accuracy(0.5, MIN_OBJECTS), "fp32") != ()


@every_precision
@pytest.mark.parametrize(("field", "limit_field"), [("box_error", "raw_box"), ("score_error", "raw_score")])
def test_raw_outputs_up_to_the_limit_pass(precision: str, field: str, limit_field: str) -> None:
    limit = getattr(GATE_LIMITS[precision], limit_field)
    assert judge_gate(replace(FEW, raw=replace(RAW, **{field: limit})), precision) == ()
    (violation,) = judge_gate(replace(FEW, raw=replace(RAW, **{field: limit * 1.01})), precision)
    assert violation.startswith("the raw outputs'")
    # Where rounding alone moves the original as far, the outputs say nothing of the conversion.
    shaky = replace(RAW, **{field: limit * 1.01, f"{field.removesuffix('_error')}_floor": limit})
    assert judge_gate(replace(FEW, raw=shaky), precision) == ()


def test_raw_outputs_that_are_no_numbers_do_not_pass() -> None:
    assert len(judge_gate(replace(FEW, raw=replace(RAW, box_error=float("nan"))), "int8")) == 1


def test_drift_of_few_pairs_is_not_judged_but_raw_outputs_are() -> None:
    wild = replace(PERFECT, pair_count=MIN_PAIRS - 1, box_share_p50=0.5, raw=RAW)
    assert judge_gate(wild, "fp32") == ()
    assert judge_gate(replace(wild, pair_count=MIN_PAIRS), "fp32") != ()
    (violation,) = judge_gate(replace(wild, raw=None), "fp32")
    assert violation.startswith("only 19 detections could be compared")


def test_without_pictures_nothing_passes() -> None:
    assert judge_gate(replace(FEW, picture_count=0, raw=None), "int8") == ("no picture was there to compare on",)


def test_limits_widen_with_coarser_precision() -> None:
    for finer, coarser in (("fp32", "fp16"), ("fp16", "bf16"), ("fp16", "int8")):
        for field in (
            "unmatched_share",
            "box_share_p50",
            "box_share_p99",
            "score_p50",
            "score_p99",
            "ap_drop",
            "raw_box",
        ):
            assert getattr(GATE_LIMITS[finer], field) < getattr(GATE_LIMITS[coarser], field)


def test_burden_grows_with_every_figure() -> None:
    for worse in (
        {"box_share_p50": 0.1},
        {"box_share_p99": 0.1},
        {"score_p50": 0.1},
        {"score_p99": 0.1},
        {"unmatched_count": 1},
    ):
        assert compute_burden(replace(PERFECT, **worse), "int8") > 0
    assert compute_burden(replace(FEW, raw=replace(RAW, score_error=0.1)), "int8") > 0


@given(st.floats(0, 1e3), st.integers(0, 9), st.booleans(), st.booleans())
def test_figures_survive_json(drift: float, unmatched: int, with_raw: bool, with_accuracy: bool) -> None:
    figures = replace(
        PERFECT,
        box_px_p99=drift,
        unmatched_count=unmatched,
        raw=RAW if with_raw else None,
        accuracy=AccuracyFigures(3, 30, 0.5, 0.4) if with_accuracy else None,
    )
    told = json.loads(json.dumps(figures.to_dict()))
    assert told["matched_share"] == figures.matched_share
    assert GateFigures.from_dict(told) == figures


def test_unknown_figures_are_refused() -> None:
    with pytest.raises(TypeError):
        GateFigures.from_dict({**PERFECT.to_dict(), "colour": 1})


def test_descriptions() -> None:
    moved = replace(PERFECT, unmatched_count=100, box_px_p50=0.164, box_share_p50=0.0123, box_px_p99=2.36,
                    box_share_p99=0.094, score_p50=0.011, score_p99=0.09)  # fmt: skip
    assert describe_figures(moved) == (
        "5,000 detections compared in 24 pictures: 99.00% found by both, boxes within 0.16 px (1.23% of their side) in "
        "the median and 2.4 px (9.4%) in 99 of 100, scores within 0.01 and 0.09"
    )
    assert describe_figures(accuracy(0.1)).endswith("AP 0.400 for 0.500")
    assert describe_figures(FEW) == (
        "only 0 detections to compare in 24 pictures, so raw outputs were: boxes differ by 0.00%, scores by 0.00%"
    )
    assert describe_figures(replace(FEW, picture_count=1, raw=None)) == "no detections to compare in 1 picture"
