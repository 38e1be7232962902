"""What single plots draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectattn.report.content import Report
from detectattn.report.plots.axes import fit_range, fit_time_axis, log_ticks
from detectattn.report.plots.confusion import plot_confusion
from detectattn.report.plots.differences import orient_pairs, plot_differences
from detectattn.report.plots.frontier import plot_frontier
from detectattn.report.plots.latency import plot_latency, sample_times
from detectattn.report.plots.precision_recall import plot_precision_recall


def test_times_far_apart_get_a_logarithmic_axis() -> None:
    assert not fit_time_axis([40, 100]).log
    axis = fit_time_axis([40, 400])
    assert axis.log
    assert axis.axis("ms")["values"] == [50, 100, 200]
    assert 0 < axis.place(40) < axis.place(400) < 1


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(3, 60, [5, 10, 20, 50]), (0.9, 1.5, [1]), (1, 1e6, [1, 10, 100, 1000, 1e4, 1e5, 1e6])],
)
def test_ticks_of_a_logarithmic_axis(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == ticks


def test_ranges_stay_within_what_is_possible() -> None:
    assert fit_range([0.01, 0.99], least=0, most=1) == [0, 1]
    assert fit_range([]) != [0, 0]
    low, high = fit_range([0.5])
    assert low < 0.5 < high


def test_many_times_become_quantiles_that_keep_both_ends() -> None:
    times = np.random.default_rng(0).lognormal(3, 0.2, 5000)

    kept = sample_times(times.tolist())

    assert len(kept) == 200
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (times.min(), times.max())
    assert np.median(kept) == pytest.approx(np.median(times), rel=0.01)


def test_few_times_are_all_drawn() -> None:
    assert sample_times((3.0, float("nan"), 1.0, 2.0)) == [1, 2, 3]


def test_dots_of_a_row_stay_in_their_row(grow: Callable[..., Report]) -> None:
    plot = plot_latency(grow(models=3, timings=5000))
    assert plot is not None
    dots = [row for rows in plot.spec["datasets"].values() for row in rows if "trusted" in row]

    assert len(dots) == 3
    for i, row in enumerate(dots):
        assert i < min(row["y"]) <= max(row["y"]) < i + 1
    assert "200 quantiles of 5,000 timings" in plot.caption


def test_a_pair_is_told_with_the_more_accurate_model_first(study: Report) -> None:
    turned = tuple(
        replace(
            d,
            figures=replace(
                d.figures, difference=-d.figures.difference, low=-d.figures.high, high=-d.figures.low,
                value_a=d.figures.value_b, value_b=d.figures.value_a,
            ),
        )
        for d in study.differences
    )  # fmt: skip
    [pair] = orient_pairs(replace(study, differences=turned))

    assert (pair.first, pair.second) == ("yolo11n", "rtdetr-l")
    plot = plot_differences(replace(study, differences=turned))
    assert plot is not None
    assert "AP +0.078 (0.012–0.141), 0.610 against 0.532, decided" in plot.alt


def test_variants_are_joined_to_their_model(study: Report) -> None:
    plot = plot_frontier(study)
    assert plot is not None
    lines = [row for rows in plot.spec["datasets"].values() for row in rows if "chain" in row]

    assert [(row["x"], row["model"]) for row in lines] == [(81, "rtdetr-l"), (103.4, "rtdetr-l")]


def test_the_frontier_shows_intervals_only_where_they_are_known(study: Report) -> None:
    plot = plot_frontier(study)
    assert plot is not None
    rows = {row["name"]: row for rows in plot.spec["datasets"].values() for row in rows if "shown_time" in row}

    assert "x_low" in rows["rtdetr-l"]
    assert "x_low" not in rows["yolo11n"], "its times are not to be trusted and have no interval"
    assert rows["yolo11n"]["shown_time"] == "43.1 ms"
    assert rows["rtdetr-l"]["shown_gain"] == "0.610 (0.540–0.670)"


def test_curves_end_where_recall_does(grow: Callable[..., Report]) -> None:
    report = grow(models=1, classes=2)
    judged = report.models[0].judgement
    assert judged is not None
    plot = plot_precision_recall(report)
    assert plot is not None
    curves = [row for rows in plot.spec["datasets"].values() for row in rows if isinstance(row.get("x"), list)]

    assert [row["choice"] for row in curves] == [0, 1, 2]
    reached = [
        int(judged.precision_recall.recall[curve > 0].max() * 1000) for curve in judged.precision_recall.class_precision
    ]
    assert sorted(row["x"][-1] for row in curves[1:]) == pytest.approx(sorted(reached), abs=1)
    assert all(min(row["y"]) > 0 for row in curves)


def _cells(report: Report) -> dict[str, Any]:
    plot = plot_confusion(report)
    assert plot is not None
    return next(row for rows in plot.spec["datasets"].values() for row in rows if "t" in row)


def test_a_confusion_matrix_keeps_every_count(grow: Callable[..., Report]) -> None:
    report = grow(models=1, classes=80)
    judged = report.models[0].judgement
    assert judged is not None
    cells = _cells(report)

    assert sum(cells["n"]) == judged.confusion.counts.sum()
    assert max(cells["t"]) <= 26
    rows = {t: sum(s for u, s in zip(cells["t"], cells["s"], strict=True) if u == t) for t in cells["t"]}
    assert all(total == pytest.approx(1, abs=0.02) for total in rows.values())


def test_classes_beyond_the_most_frequent_are_pooled_and_said_so(grow: Callable[..., Report]) -> None:
    many, few = plot_confusion(grow(models=1, classes=80)), plot_confusion(grow(models=1, classes=5))
    assert many is not None
    assert few is not None

    assert "The 25 classes with the most objects; the other 55 are pooled" in many.caption
    assert "pooled" not in few.caption


def test_a_class_called_like_our_own_labels_stays_apart(study: Report) -> None:
    model = study.models[0]
    assert model.judgement is not None
    confusion = replace(model.judgement.confusion, class_names=("missed", "nothing there", "tram"))
    plot = plot_confusion(
        replace(study, models=(replace(model, judgement=replace(model.judgement, confusion=confusion)),))
    )
    assert plot is not None
    domain = plot.spec["layer"][0]["encoding"]["x"]["scale"]["domain"]

    assert domain == ["missed (2)", "nothing there (2)", "tram", "missed"]
