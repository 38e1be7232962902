"""Intervals hold what they promise, counted over repeated studies."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectattn.evaluation.intervals import (
    Interval,
    compare_latency,
    compute_expanded_interval,
    compute_t_quantile,
    estimate_degrees_of_freedom,
    images_to_decide,
    is_beyond_chance,
)


@pytest.mark.parametrize(
    ("degrees", "quantile", "tolerance"),
    [(1, 12.706, 0.001), (2, 4.303, 0.001), (3, 3.182, 0.01), (4, 2.776, 0.01), (9, 2.262, 0.002), (99, 1.984, 0.001)],
)
def test_t_quantile_is_the_tables(degrees: int, quantile: float, tolerance: float) -> None:
    assert compute_t_quantile(0.975, degrees) == pytest.approx(quantile, rel=tolerance)
    assert compute_t_quantile(0.025, degrees) == pytest.approx(-quantile, rel=tolerance)


def test_t_quantile_falls_without_a_jump() -> None:
    degrees = np.linspace(1, 6, 500)
    quantiles = np.array([compute_t_quantile(0.975, n) for n in degrees])
    assert (np.diff(quantiles) <= 0).all()
    assert compute_t_quantile(0.975, 2.9999) == pytest.approx(compute_t_quantile(0.975, 3.0), abs=0.001)


def test_few_large_influences_leave_few_degrees_of_freedom() -> None:
    rng = np.random.default_rng(0)
    even = estimate_degrees_of_freedom(rng.normal(size=100), 100)
    lonely = np.zeros(100)
    lonely[:3] = [1, -1, 1]
    assert 60 < even <= 99
    assert estimate_degrees_of_freedom(lonely, 100) < 10
    assert estimate_degrees_of_freedom(np.zeros(5), 5) == 4
    assert estimate_degrees_of_freedom(np.full(5, np.nan), 5) == 4


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("n", [8, 25])
def test_expanded_interval_covers_a_mean(n: int, skewed: bool) -> None:
    """The mean of a few numbers, whose truth is known: 95% nominal holds at 90% and more even of skewed ones."""
    rng = np.random.default_rng(n)
    hits, repetitions = 0, 400
    for _ in range(repetitions):
        values = rng.exponential(size=n) - 1 if skewed else rng.normal(size=n)
        samples = values[rng.integers(0, n, (400, n))].mean(axis=1)
        leave_out = (values.sum() - values) / (n - 1)
        hits += not compute_expanded_interval(samples, leave_out, n).excludes(0.0)
    assert (0.89 if skewed else 0.93) <= hits / repetitions <= 0.99


@pytest.mark.parametrize("samples", [np.full(10, np.nan), np.array([0.1] * 4 + [np.nan] * 6), np.zeros(0)])
def test_a_figure_that_most_resamples_lack_has_no_interval(samples: np.ndarray) -> None:
    interval = compute_expanded_interval(samples, np.zeros(3), 10)
    assert math.isnan(interval.low)
    assert not interval.excludes(0.0)
    assert math.isnan(interval.reaching(1.0).low)


def test_interval_reaches_and_excludes() -> None:
    assert Interval(1, 2).excludes(0.5)
    assert not Interval(1, 2).excludes(1)
    assert Interval(1, 2).reaching(3) == Interval(1, 3)


@pytest.mark.parametrize("images", [24, 400])
def test_as_many_images_decide_four_times_of_five(images: int) -> None:
    """Studies of the number that is named find a true difference of 0.1 standard deviations in 80% of cases."""
    deviation, difference = 1.0, 0.1
    needed = images_to_decide(difference, deviation / math.sqrt(images), images)
    assert needed is not None
    rng = np.random.default_rng(1)
    draws = rng.normal(difference, deviation, (2000, needed))
    reach = 2.576 * draws.std(axis=1, ddof=1) / math.sqrt(needed)
    assert (draws.mean(axis=1) - reach > 0).mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("degrees", [4, 24])
def test_equals_seem_to_differ_once_in_a_hundred_studies(degrees: int) -> None:
    draws = np.random.default_rng(degrees).normal(0, 1, (4000, degrees + 1))
    errors = draws.std(axis=1, ddof=1) / math.sqrt(degrees + 1)
    seeming = [is_beyond_chance(d, e, degrees) for d, e in zip(draws.mean(axis=1), errors, strict=True)]
    assert 0.005 < np.mean(seeming) < 0.016


def test_what_does_not_exist_is_not_beyond_chance() -> None:
    assert not is_beyond_chance(math.nan, 0.1, 9)
    assert not is_beyond_chance(0.1, math.nan, 9)
    assert not is_beyond_chance(0.0, 0.0, 9)


@pytest.mark.parametrize(
    ("difference", "error", "images"), [(0.0, 0.1, 10), (math.nan, 0.1, 10), (0.1, math.nan, 10), (1e-9, 0.1, 10)]
)
def test_some_questions_no_number_of_images_settles(difference: float, error: float, images: int) -> None:
    assert images_to_decide(difference, error, images) is None


def draw_rounds(
    rng: np.random.Generator, ratio: float, rounds: int, images: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Times of two models: images that differ, a machine that drifts, jitter, and now and then a hiccup."""
    size = rng.normal(0, 0.2, images)
    drift = rng.normal(0, 0.05, rounds)
    studies = []
    for base in (40.0 * ratio, 40.0):
        own = rng.normal(0, 0.02, rounds)
        noise = rng.normal(0, 0.03, (rounds, images)) + (rng.random((rounds, images)) < 0.02) * rng.exponential(
            0.7, (rounds, images)
        )
        studies.append(list(base * np.exp(size + drift[:, None] + own[:, None] + noise)))
    return studies[0], studies[1]


@pytest.mark.parametrize("rounds", [4, 5, 8, 20])
def test_latency_ratio_intervals_cover_the_truth(rounds: int) -> None:
    rng = np.random.default_rng(rounds)
    hits, wrong, repetitions = 0, 0, 500
    for _ in range(repetitions):
        a, b = draw_rounds(rng, 1.02, rounds, 20)
        ratio = compare_latency(a, b)
        hits += ratio.low <= 1.02 <= ratio.high
        wrong += ratio.decided and ratio.ratio < 1
    assert 0.92 <= hits / repetitions <= 0.98
    assert wrong / repetitions < 0.025


def test_what_changes_between_sittings_is_part_of_the_interval() -> None:
    """A process that has luck for all its rounds fools an interval over rounds, and none over sittings."""
    rng = np.random.default_rng(5)
    dealt = (2, 2, 2, 2, 2)
    hits = {"round": 0, "sitting": 0}
    repetitions = 500
    for _ in range(repetitions):
        a, b = draw_rounds(rng, 1.02, 10, 10)
        luck = np.repeat(rng.normal(0, 0.05, 5), dealt)
        a = [times * np.exp(shift) for times, shift in zip(a, luck, strict=True)]
        for sittings in ((), dealt):
            ratio = compare_latency(a, b, sittings=sittings)
            hits[ratio.unit] += ratio.low <= 1.02 <= ratio.high
    assert 0.92 <= hits["sitting"] / repetitions <= 0.98
    assert hits["round"] / repetitions < 0.9


def test_ratio_is_that_of_the_medians() -> None:
    ratio = compare_latency([[10, 20, 30]] * 5, [[5, 10, 15]] * 5)
    assert (ratio.value_a, ratio.value_b, ratio.unit, ratio.units) == (20, 10, "round", 5)
    assert ratio.ratio == pytest.approx(2)
    assert ratio.low == pytest.approx(2)
    assert ratio.decided


def test_a_factor_that_chance_may_be_is_not_decided() -> None:
    """An interval that excludes 1 by a hair is no verdict; one that excludes it at 99% too is."""
    logs = np.array([-1.0, -0.5, 0.0, 0.5, 1.0]) * 0.01
    for shift, decided in ((0.011, False), (0.02, True)):
        ratio = compare_latency(100 * np.exp(logs + shift)[:, None], np.full((5, 1), 100.0))
        assert ratio.low > 1
        assert ratio.decided == decided


def test_drift_that_both_share_cancels() -> None:
    drift = np.exp(np.linspace(-0.5, 0.5, 8))
    noise = np.random.default_rng(0).normal(1, 0.002, (2, 8, 10))
    ratio = compare_latency(20 * drift[:, None] * noise[0], 10 * drift[:, None] * noise[1])
    assert ratio.high - ratio.low < 0.1


def test_few_rounds_are_cut_into_blocks() -> None:
    rng = np.random.default_rng(0)
    ratio = compare_latency([rng.normal(20, 1, 40)], [rng.normal(10, 1, 40)])
    assert (ratio.unit, ratio.units) == ("block", 8)
    assert ratio.low < 2 < ratio.high


def test_one_time_each_says_nothing() -> None:
    ratio = compare_latency([[20.0]], [[10.0]])
    assert math.isnan(ratio.low)
    assert not ratio.decided


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([[1.0]], [[1.0], [1.0]], "the same rounds"),
        ([[1.0], []], [[1.0], [1.0]], "at least one time"),
        ([], [], "at least one time"),
        ([[0.0]], [[1.0]], "positive"),
    ],
)
def test_rounds_that_cannot_be_compared_are_refused(a: list[list[float]], b: list[list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare_latency(a, b)
