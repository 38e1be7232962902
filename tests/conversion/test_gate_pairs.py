"""What two models find in the same pictures: who finds what, and how far they differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectattn.conversion.gate_figures import GateFigures
from detectattn.conversion.gate_pairs import PairTally
from detectattn.types import Detections, Resize

CONF = 0.25
SAME = Resize((1.0, 1.0), (0.0, 0.0), (640, 640), (640, 640))


def make(*rows: tuple[float, float, int]) -> Detections:
    """Boxes of 40 px at (left, score, class), best first."""
    rows = tuple(sorted(rows, key=lambda row: -row[1]))
    xyxy = np.array([[left, 100, left + 40, 140] for left, _, _ in rows], np.float32).reshape(-1, 4)
    return Detections(
        xyxy, np.array([score for _, score, _ in rows], np.float32), np.array([c for _, _, c in rows], np.int32)
    )


def compare(a: Detections, b: Detections, resize: Resize = SAME) -> GateFigures:
    tally = PairTally(CONF)
    tally.add(a, b, resize)
    return tally.to_figures()


def test_drift_is_that_of_the_corner_that_moved_most() -> None:
    figures = compare(make((100, 0.9, 0), (300, 0.8, 1)), make((102, 0.87, 0), (301, 0.8, 1)))
    assert (figures.pair_count, figures.unmatched_count, figures.matched_share) == (2, 0, 1.0)
    # Of two values the lower one, so that the odd pair that NMS decided otherwise does not stand for all.
    assert figures.box_px_p50 == figures.box_px_p99 == pytest.approx(1)
    assert figures.score_p50 == pytest.approx(0)


def test_where_as_many_are_found_as_may_be_kept_chance_does_not_count() -> None:
    """Of equal scores the one model keeps these and the other those; what is far above the cut counts as ever."""
    tally = PairTally(CONF, max_det=3)
    first = ((100, 0.95, 0), (200, 0.5, 0))
    tally.add(make(*first, (300, 0.5, 0)), make(*first, (400, 0.5, 0)), SAME)
    figures = tally.to_figures()
    assert (figures.reference_count, figures.pair_count, figures.unmatched_count) == (1, 1, 0)
    tally.add(make(*first), make((100, 0.95, 0), (400, 0.5, 0)), SAME)
    assert tally.to_figures().unmatched_count == 2


def test_drift_is_measured_in_pixels_of_the_network() -> None:
    """A photograph of four times the size moves its boxes four times as far for the same error."""
    resize = Resize((0.25, 0.25), (0.0, 80.0), (640, 640), (1920, 2560))
    figures = compare(make((100, 0.9, 0)), make((108, 0.9, 0)), resize)
    assert figures.box_px_p50 == pytest.approx(2)
    assert figures.box_share_p50 == pytest.approx(8 / 40)


@pytest.mark.parametrize(
    ("partner", "unmatched"),
    [(0.24, 0), (0.151, 0), (None, 1)],
    ids=["just below the threshold", "well below it", "gone"],
)
def test_a_partner_may_score_below_the_threshold(partner: float | None, unmatched: int) -> None:
    candidate = make() if partner is None else make((100, partner, 0))
    figures = compare(make((100, 0.26, 0)), candidate)
    assert (figures.reference_count, figures.candidate_count) == (1, 0)
    assert figures.unmatched_count == unmatched
    assert figures.pair_count == 1 - unmatched


def test_tally_asks_for_detections_below_the_threshold() -> None:
    assert PairTally(CONF).partner_conf == pytest.approx(0.15)


def test_what_only_the_candidate_finds_counts_too() -> None:
    figures = compare(make((100, 0.9, 0)), make((100, 0.9, 0), (300, 0.5, 0), (400, 0.2, 0)))
    assert (figures.unmatched_count, figures.candidate_count) == (1, 2)
    assert figures.matched_share == pytest.approx(2 / 3)


def test_another_class_or_another_place_is_no_counterpart() -> None:
    assert compare(make((100, 0.9, 0)), make((100, 0.9, 1))).unmatched_count == 2
    assert compare(make((100, 0.9, 0)), make((120, 0.9, 0))).unmatched_count == 2


def test_pairs_below_the_threshold_do_not_count() -> None:
    figures = compare(make((100, 0.2, 0)), make((110, 0.2, 0)))
    assert (figures.pair_count, figures.reference_count, figures.unmatched_count) == (0, 0, 0)
    assert figures.matched_share is None
    assert figures.box_px_p50 is None


@pytest.mark.parametrize(("far", "p99"), [(1, 0), (2, 10)])
def test_one_of_a_hundred_may_be_far_off(far: int, p99: float) -> None:
    tally = PairTally(CONF)
    for number in range(101):
        tally.add(make((100, 0.9, 0)), make((110 if number < far else 100, 0.9, 0)), SAME)
    assert tally.to_figures().box_px_p99 == pytest.approx(p99)


@st.composite
def detections(draw: st.DrawFn) -> Detections:
    count = draw(st.integers(0, 8))
    row = st.tuples(st.integers(0, 500), st.integers(16, 100).map(lambda v: v / 100), st.integers(0, 2))
    # Apart from each other, so that no two detections of one model overlap alike with one of the other.
    lefts = draw(st.lists(st.integers(0, 9), min_size=count, max_size=count, unique=True))
    return make(*((60 * left, score, c) for left, (_, score, c) in zip(lefts, [draw(row) for _ in lefts], strict=True)))


@settings(max_examples=60)
@given(detections())
def test_a_model_equals_itself(found: Detections) -> None:
    figures = compare(found, found)
    assert figures.unmatched_count == 0
    assert figures.pair_count == figures.reference_count == figures.candidate_count
    assert {figures.box_px_p99, figures.score_p99} <= {0.0, None}


@settings(max_examples=60)
@given(detections(), detections())
def test_neither_model_is_favoured(a: Detections, b: Detections) -> None:
    forward, backward = compare(a, b), compare(b, a)
    assert forward.matched_share == backward.matched_share
    assert (forward.pair_count, forward.unmatched_count) == (backward.pair_count, backward.unmatched_count)
    assert (forward.box_share_p50, forward.score_p99) == (backward.box_share_p50, backward.score_p99)
    # Each detection is in a pair, or without one.
    assert forward.reference_count + forward.candidate_count <= 2 * forward.pair_count + forward.unmatched_count
