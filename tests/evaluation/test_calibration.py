"""Calibration error is its definition, and a model calibrated by construction shows no more than chance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectattn.evaluation.calibration import compute_calibration, compute_wilson_interval
from detectattn.results import IOU_THRESHOLDS, MatchTable


def make_table(score: np.ndarray, right: np.ndarray, ignored: np.ndarray | None = None) -> MatchTable:
    count = len(score)
    rows = np.zeros((len(IOU_THRESHOLDS), count), bool)
    matched, aside = rows.copy(), rows.copy()
    matched[0] = right
    if ignored is not None:
        aside[:] = ignored
    zeros = np.zeros(count, np.int32)
    return MatchTable(("thing",), zeros, zeros, score.astype(np.float32), matched, aside, np.array([[5]], np.int32))


def test_the_definition_by_hand() -> None:
    """Two bins of a half each: .6 and .7 with one right of two, .9 and 1. both right."""
    table = make_table(np.array([0.6, 0.7, 0.9, 1.0]), np.array([True, False, True, True]))
    calibration = compute_calibration(table, min_score=0.5, bins=2)
    assert calibration.error == pytest.approx(0.5 * abs(0.65 - 0.5) + 0.5 * abs(0.95 - 1.0), abs=1e-6)
    assert calibration.overconfidence == pytest.approx(0.8 - 0.75, abs=1e-6)
    first, second = calibration.bins
    assert (first.score_low, first.score_high, first.count, first.precision) == (0.5, 0.75, 2, 0.5)
    assert second.count == 2
    assert second.mean_score == pytest.approx(0.95)
    assert first.precision_low < 0.5 < first.precision_high


def test_equals_the_plain_loop() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(500).astype(np.float32)
    right = rng.random(500) < score**2
    expected = 0.0
    kept = score >= 0.25
    for k in range(10):
        low, high = 0.25 + 0.075 * k, 0.25 + 0.075 * (k + 1)
        inside = kept & (score > low) & (score <= high)
        if inside.any():
            expected += inside.sum() / kept.sum() * abs(score[inside].mean() - right[inside].mean())
    assert compute_calibration(make_table(score, right)).error == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("power", "miscalibrated", "sign"),
    [
        pytest.param(1.0, False, 0, id="calibrated"),
        pytest.param(2.5, True, 1, id="promises too much"),
        pytest.param(0.4, True, -1, id="promises too little"),
    ],
)
def test_a_calibrated_model_shows_no_more_than_chance(power: float, miscalibrated: bool, sign: int) -> None:
    rng = np.random.default_rng(1)
    score = rng.uniform(0.25, 1, 2000)
    calibration = compute_calibration(make_table(score, rng.random(2000) < score**power))
    assert calibration.miscalibrated is miscalibrated
    assert abs(calibration.overconfidence) < 0.03 if sign == 0 else calibration.overconfidence * sign > 0.1
    assert calibration.perfect_error == pytest.approx(0.025, abs=0.015)


def test_chance_alone_is_flagged_one_time_in_twenty() -> None:
    rng = np.random.default_rng(2)
    flagged = 0
    for _ in range(200):
        score = rng.uniform(0.25, 1, 150)
        flagged += compute_calibration(make_table(score, rng.random(150) < score)).miscalibrated
    assert 2 <= flagged <= 22


def test_ignored_and_faint_detections_are_left_out() -> None:
    table = make_table(np.array([0.9, 0.9, 0.1]), np.array([True, False, True]), np.array([False, True, False]))
    assert compute_calibration(table).count == 1


def test_no_detections_have_no_error() -> None:
    calibration = compute_calibration(make_table(np.zeros(0), np.zeros(0, bool)))
    assert math.isnan(calibration.error)
    assert not calibration.miscalibrated
    assert all(b.count == 0 and math.isnan(b.precision) for b in calibration.bins)


def test_an_iou_that_the_table_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="iou_threshold must be one of"):
        compute_calibration(make_table(np.zeros(0), np.zeros(0, bool)), iou_threshold=0.52)


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)],
)
def test_wilson_interval(right: int, count: int, low: float, high: float) -> None:
    """Against published tables of the score interval."""
    assert compute_wilson_interval(right, count) == pytest.approx((low, high), abs=1e-4)
