"""Curves and shares of maps of a model whose evidence is known: a map of that evidence must win."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detectattn.attention.faithfulness import (
    FRACTIONS,
    blur_picture,
    compute_curve,
    compute_reach,
    find_score,
    prepare_target,
    rank_pixels,
    score_map,
)
from detectattn.results.faithfulness import REACH_BANDS
from detectattn.types import F32, U8, Detections

SIZE = (96, 128)
BOX = (40.0, 30.0, 88.0, 66.0)
# All that the model looks at: a patch of the object, and one far outside its box.
EVIDENCE = (slice(40, 48), slice(50, 62)), (slice(80, 88), slice(8, 20))


def make_picture() -> U8:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def detect_by_evidence(pictures: Sequence[U8]) -> list[Detections]:
    """Finds the box as surely as the evidence is sharp; the spread of noise is 74, that of what is blurred is small."""
    found = []
    for bgr in pictures:
        sharp = np.mean([min(1.0, float(bgr[patch].std()) / 74) for patch in EVIDENCE])
        score = max(0.0, float(sharp) - 0.2)
        found.append(make_detections([(BOX, score, 3)] if score > 0.02 else []))
    return found


def make_detections(rows: Sequence[tuple[tuple[float, ...], float, int]]) -> Detections:
    xyxy = np.array([r[0] for r in rows], np.float32).reshape(-1, 4)
    return Detections(xyxy, np.array([r[1] for r in rows], np.float32), np.array([r[2] for r in rows], np.int32))


def make_map(kind: str) -> F32:
    values = np.zeros(SIZE, np.float32)
    if kind == "evidence":
        for patch in EVIDENCE:
            values[patch] = 1
    elif kind == "box":
        values[30:66, 40:88] = 1
    elif kind == "random":
        values = np.random.default_rng(1).random(SIZE, np.float32)
    else:
        values = 1 - make_map("evidence")
    return values


def test_the_map_of_the_true_evidence_wins() -> None:
    target = prepare_target(make_picture(), make_detections([(BOX, 0.8, 3)]), 0, SIZE, detect_by_evidence)
    assert target is not None
    assert target.tells
    curves = {k: compute_curve(make_map(k), target, detect_by_evidence) for k in ("evidence", "box", "random", "wrong")}
    worth = {kind: curve.faithfulness for kind, curve in curves.items()}
    assert worth["evidence"] > worth["box"] + 0.2
    assert worth["evidence"] > 0.3
    assert worth["box"] > worth["wrong"]
    assert worth["random"] > worth["wrong"]
    assert curves["evidence"].insertion[-1] == pytest.approx(1)
    assert curves["evidence"].deletion[-1] < 0.3
    assert curves["evidence"].fractions == FRACTIONS


def test_scores_are_shares_of_what_the_whole_picture_scores() -> None:
    target = prepare_target(make_picture(), make_detections([(BOX, 0.1, 3)]), 0, SIZE, detect_by_evidence)
    assert target is not None
    assert target.score == pytest.approx(find_score(detect_by_evidence([target.bgr])[0], target.xyxy, 3))
    nothing_yet = compute_curve(make_map("wrong"), target, detect_by_evidence)
    assert nothing_yet.deletion[0] == pytest.approx(1, abs=0.05)
    assert nothing_yet.insertion[0] == pytest.approx(target.hidden_score, abs=0.05)


def test_a_larger_picture_is_brought_to_the_size_of_the_maps() -> None:
    bgr = make_picture().repeat(3, axis=0).repeat(3, axis=1)
    large = make_detections([(tuple(3 * v for v in BOX), 0.8, 3)])
    target = prepare_target(bgr, large, 0, SIZE, detect_by_evidence)
    assert target is not None
    assert target.bgr.shape == target.hidden.shape == (*SIZE, 3)
    assert target.xyxy.tolist() == pytest.approx(BOX)


def test_what_cannot_be_judged_is_not() -> None:
    one = make_detections([(BOX, 0.8, 3)])
    assert prepare_target(make_picture(), one, 0, SIZE, lambda pictures: [make_detections([])] * len(pictures)) is None
    stubborn = prepare_target(make_picture(), one, 0, SIZE, lambda pictures: [one] * len(pictures))
    assert stubborn is not None
    assert not stubborn.tells


@pytest.mark.parametrize(
    ("rows", "score"),
    [
        ([], 0.0),
        ([(BOX, 0.7, 3)], 0.7),
        ([(BOX, 0.7, 4)], 0.0),
        ([((0.0, 0.0, 30.0, 30.0), 0.7, 3)], 0.0),
        ([(BOX, 0.4, 3), ((42.0, 30.0, 88.0, 66.0), 0.6, 3), (BOX, 0.9, 1)], 0.6),
    ],
)
def test_the_score_is_that_of_its_class_at_its_place(
    rows: Sequence[tuple[tuple[float, ...], float, int]], score: float
) -> None:
    assert find_score(make_detections(rows), np.array(BOX, np.float32), 3) == pytest.approx(score)


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.floats(0, 10, width=32)))
def test_ranks_are_an_order_with_the_brightest_first(values: F32) -> None:
    rank = rank_pixels(values)
    assert sorted(rank.ravel().tolist()) == list(range(values.size))
    by_rank = values.ravel()[np.argsort(rank.ravel())]
    assert (np.diff(by_rank) <= 0).all()


def test_equal_pixels_come_from_everywhere() -> None:
    first = rank_pixels(np.ones((40, 40), np.float32)) < 400
    halves = first[:20].sum(), first[:, :20].sum()
    assert all(150 < half < 250 for half in halves)


@pytest.mark.parametrize(
    ("place", "band"),
    [((5, 5), "inside"), ((5, 13), "to 0.5"), ((5, 18), "0.5 to 1"), ((25, 5), "1 to 2"), ((5, 39), "beyond 2")],
)
def test_reach_tells_how_far_the_mass_lies(place: tuple[int, int], band: str) -> None:
    values = np.zeros((40, 40), np.float32)
    values[place] = 2
    reach = compute_reach(values, np.array([0, 0, 10, 10], np.float32))
    assert dict(zip(REACH_BANDS, reach.shares, strict=True)) == {name: float(name == band) for name in REACH_BANDS}
    assert sum(reach.area) == pytest.approx(1)
    assert reach.area[0] == pytest.approx(100 / 1600)
    assert reach.outside == (band != "inside")


def test_energy_and_pointing() -> None:
    box = np.array(BOX, np.float32)
    blob = score_map("blob", make_map("box"), box)
    assert blob.energy == pytest.approx(1)
    assert blob.pointing
    even = score_map("even", np.ones(SIZE, np.float32), box)
    assert even.energy == pytest.approx(48 * 36 / (96 * 128))
    nothing = score_map("nothing", np.zeros(SIZE, np.float32), box)
    assert np.isnan(nothing.energy)
    assert not nothing.pointing


@pytest.mark.parametrize("sigma", [1.0, 6.0, 40.0])
def test_blurring_keeps_the_mean_and_takes_the_detail(sigma: float) -> None:
    bgr = make_picture()
    blurred = blur_picture(bgr, sigma)
    assert blurred.shape == bgr.shape
    assert blurred.mean() == pytest.approx(bgr.mean(), abs=2)
    assert blurred.std() < bgr.std() / 3
