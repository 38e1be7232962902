"""What a method is worth, from the scores of its maps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectattn.explain.judge import DetectionScores, average, judge_methods
from detectattn.results.faithfulness import MapScore, PerturbationCurve, Reach

TITLES = {"good": ("good", "g"), "boxy": ("boxy", "b"), "poor": ("poor", "p")} | {
    name: (name, "baseline") for name in ("box_blob", "random")
}
LEVELS = {"good": 0.4, "boxy": 0.1, "poor": -0.5, "box_blob": 0.1, "random": -0.5}


def make_score(method: str, faithfulness: float | None, inside: float = 0.6) -> MapScore:
    reach = Reach((inside, 0.2, 0.1, 0.05, 0.35 - inside + 0.3), (0.1, 0.1, 0.2, 0.3, 0.3))
    curve = None if faithfulness is None else PerturbationCurve((0.1, 0.2), (0.5 + faithfulness,) * 2, (0.5, 0.5))
    return MapScore(method, inside, inside > 0.5, reach, curve)


def make_detections(images: int, each: int, noise: float = 0.02, *, curves: bool = True) -> list[DetectionScores]:
    rng = np.random.default_rng(0)
    rows = []
    for image in range(images):
        for _ in range(each):
            scores = {m: make_score(m, v + rng.normal(0, noise) if curves else None) for m, v in LEVELS.items()}
            rows.append(DetectionScores((f"{image}.jpg", 0), scores, dict.fromkeys(scores, 2.0)))
    return rows


def test_every_method_gets_the_label_that_its_figures_earn() -> None:
    figures = {f.method: f for f in judge_methods(make_detections(12, 3), TITLES)}
    assert {name: f.worth for name, f in figures.items()} == {
        "good": "says more than the box",
        "boxy": "no more than the box",
        "poor": "no better than random",
        "box_blob": "baseline",
        "random": "baseline",
    }
    assert list(figures) == ["good", "boxy", "poor", "box_blob", "random"]
    good = figures["good"]
    assert good.faithfulness is not None
    assert good.faithfulness.value == pytest.approx(0.4, abs=0.02)
    assert good.faithfulness.low < good.faithfulness.value < good.faithfulness.high
    assert (good.faithfulness.units, good.faithfulness.unit, good.detections) == (12, "image", 36)
    assert good.over_box is not None
    assert good.over_box.value == pytest.approx(0.3, abs=0.02)
    assert good.insertion == pytest.approx((0.9, 0.9), abs=0.02)
    assert sum(good.reach) == pytest.approx(1)
    assert good.milliseconds == 2


def test_without_curves_nothing_is_claimed() -> None:
    figures = judge_methods(make_detections(6, 2, curves=False), TITLES)
    assert {f.worth for f in figures} == {"baseline", "not decided"}
    assert all(f.faithfulness is None and f.insertion == () for f in figures)
    assert all(f.energy.value == pytest.approx(0.6) for f in figures)


def test_one_detection_decides_nothing() -> None:
    figures = judge_methods(make_detections(1, 1), TITLES)
    assert {f.worth for f in figures} == {"baseline", "not decided"}


def test_few_detections_reject_no_method() -> None:
    figures = {f.method: f.worth for f in judge_methods(make_detections(5, 1, noise=0.05), TITLES)}
    assert figures["poor"] == figures["boxy"] == "not decided"


def test_detections_are_the_units_of_few_images() -> None:
    few = average([(("a", 0), 1.0), (("a", 0), 3.0), (("b", 0), 2.0), (("b", 0), math.nan)])
    assert (few.value, few.units, few.unit) == (2, 3, "detection")
    many = average([((str(i), 0), float(i % 2)) for i in range(8)] + [(("0", 0), 1.0)])
    assert (many.units, many.unit) == (8, "image")
    assert many.value == pytest.approx((0.5 + 1 + 0 + 1 + 0 + 1 + 0 + 1) / 8)


def test_intervals_over_images_cover_the_mean() -> None:
    """Detections of one image share its luck: counting them as units of their own would claim too much."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(300):
        luck = rng.normal(0, 1, 10)
        figure = average([((str(i), 0), float(luck[i] + rng.normal(0, 0.3))) for i in range(10) for _ in range(8)])
        hits += figure.low <= 0 <= figure.high
    assert 0.91 <= hits / 300 <= 0.985


def test_methods_that_a_model_lacks_are_left_out() -> None:
    rows = [
        DetectionScores(d.picture, {k: v for k, v in d.scores.items() if k != "boxy"}, d.milliseconds)
        for d in make_detections(5, 1)
    ]
    assert "boxy" not in {f.method for f in judge_methods(rows, TITLES)}
