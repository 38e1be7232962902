"""The soak's figures: the slope of a straight line, with an interval that neighbours do not narrow."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.soak_process import fit_slope


def test_a_straight_line_has_its_slope_and_no_width() -> None:
    times_s = np.arange(0, 7200, 5.0)
    slope = fit_slope(times_s.tolist(), (480 + 3 * times_s / 3600).tolist())
    assert slope is not None
    assert (slope.per_hour, slope.low, slope.high) == pytest.approx((3, 3, 3))


def test_too_few_values_have_none() -> None:
    assert fit_slope([0, 5, 10], [1, 2, 3]) is None


def test_the_interval_covers_the_truth_though_neighbours_are_alike() -> None:
    rng = np.random.default_rng(0)
    times_s = np.arange(0, 7200, 5.0)
    covered = 0
    for _ in range(200):
        noise, values = rng.normal(0, 0.3, len(times_s)), np.zeros(len(times_s))
        for i in range(1, len(values)):  # memory that is alike for a minute and a half
            values[i] = 0.95 * values[i - 1] + noise[i]
        slope = fit_slope(times_s.tolist(), values.tolist())
        assert slope is not None
        covered += slope.low <= 0 <= slope.high
    assert covered >= 180
