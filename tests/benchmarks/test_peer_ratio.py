from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.peer.ratio import Ratio, compute_an_image_s, compute_ratio, take_turns


def test_the_ratio_is_the_median_of_the_rounds_and_not_of_the_sides() -> None:
    ratio = compute_ratio([1.0, 4.0, 3.0], [2.0, 4.0, 12.0])
    assert ratio == Ratio(ours_s=3.0, peer_s=4.0, value=0.5, low=0.25, high=1.0)


@pytest.mark.parametrize(
    ("ours", "peer", "message"),
    [
        ([], [], "0 times of ours"),
        ([1.0], [1.0, 2.0], "make no pairs"),
        ([1.0, -0.1], [1.0, 1.0], "too busy"),
        ([1.0], [0.0], "too busy"),
    ],
)
def test_times_that_say_nothing_are_refused(ours: list[float], peer: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute_ratio(ours, peer)


@pytest.mark.parametrize(("value", "met"), [(0.3, True), (0.301, False), (0.2, True)])
def test_a_target_is_met_up_to_its_limit(value: float, met: bool) -> None:
    assert Ratio(1, 1, value, value, value).meets(0.30) is met


def test_start_up_does_not_count_for_an_image() -> None:
    start_up_s, an_image_s = 4.0, 0.25
    seconds = [start_up_s + count * an_image_s for count in (4, 24)]
    assert compute_an_image_s(4, seconds[0], 24, seconds[1]) == pytest.approx(an_image_s)


def test_sides_take_turns_in_an_order_that_reverses() -> None:
    calls: list[str] = []

    def side(name: str) -> Callable[[], float]:
        def run() -> float:
            calls.append(name)
            return float(len(calls))

        return run

    taken = take_turns({"peer": side("peer"), "ours": side("ours")}, 3)
    assert calls == ["peer", "ours", "ours", "peer", "peer", "ours"]
    assert taken == {"peer": [1.0, 4.0, 5.0], "ours": [2.0, 3.0, 6.0]}
