"""Growth and crossings of costs whose growth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectattn.attention.ledger import find_crossing, find_crossings, fit_growth, fit_growths
from detectattn.results.attention import AttentionSite
from detectattn.results.inspection import AttentionBlock, SizeInspection
from detectattn.results.ledger import Cost

SIDES = (320.0, 640.0, 960.0, 1280.0)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 4.0])
def test_a_power_is_found(exponent: float) -> None:
    growth = fit_growth("rest", "gflops", SIDES, [3.0 * side**exponent for side in SIDES])
    assert growth.exponent == pytest.approx(exponent, abs=1e-9)
    assert growth.error == pytest.approx(0, abs=1e-9)
    assert growth.per_token == pytest.approx(exponent / 2, abs=1e-9)
    assert growth.last == pytest.approx(exponent, abs=1e-9)


def test_the_error_is_that_of_least_squares() -> None:
    values = [1.0, 5.0, 8.0, 17.0]
    growth = fit_growth("rest", "time_ms", SIDES, values)
    (slope, _), covariance = np.polyfit(np.log(SIDES), np.log(values), 1, cov=True)
    assert growth.exponent == pytest.approx(slope)
    assert growth.error == pytest.approx(math.sqrt(covariance[0, 0]))
    assert growth.last == pytest.approx(math.log(17 / 8) / math.log(1280 / 960))


def test_two_sizes_tell_no_error() -> None:
    assert fit_growth("rest", "gflops", SIDES[:2], [1.0, 4.0]).error is None


@pytest.mark.parametrize(
    ("attention", "verdict", "side_px"),
    [
        ([side**4 / 640**4 for side in SIDES], "measured", 640),  # the rest is (side / 640)²
        ([side**4 / 640**2 / 2000**2 for side in SIDES], "extrapolated", 2000),
        ([side**4 / 640**2 / 9000**2 for side in SIDES], "beyond", None),
        ([0.1 * side**2 / 640**2 for side in SIDES], "never", None),
        ([0.1 * side / 640 for side in SIDES], "never", None),
        ([3.0 * side**2 / 640**2 for side in SIDES], "dominates", None),
    ],
)
def test_where_attention_comes_to_dominate(attention: list[float], verdict: str, side_px: float | None) -> None:
    rest = [side**2 / 640**2 for side in SIDES]
    crossing = find_crossing("time_ms", SIDES, attention, rest)
    assert crossing.verdict == verdict
    assert crossing.side_px == (None if side_px is None else pytest.approx(side_px))
    assert crossing.searched_px == 4 * 1280


def make_size(side: int, *, timed: bool = True, attends: bool = True) -> SizeInspection:
    """Attention that grows as the fourth power, a fifth of it products, beside a rest that grows as the square."""
    own = Cost(side**4 / 1e9, side**3 / 1e6, side**4 / 1e9 if timed else None)
    site = AttentionSite("model.1.attn", "Attention", "global", 0, 2, 32, 32)
    block = AttentionBlock(site, 4, 4, "explicit softmax", ("bmm",), own, own.gflops / 5, 0.1)
    rest = Cost(side**2 / 1e6, side**2 / 1e6, side**2 / 1e6 if timed else None)
    whole = Cost(
        own.gflops + rest.gflops,
        own.written_mb + rest.written_mb,
        (own.time_ms or 0) + (rest.time_ms or 0) if timed else None,
    )
    return SizeInspection((side, side), whole if attends else rest, (), (block,) if attends else (), 1.0)


def test_parts_grow_on_their_own() -> None:
    growths = {(g.part, g.quantity): g.exponent for g in fit_growths([make_size(side) for side in (320, 640, 960)])}
    assert growths["attention", "gflops"] == pytest.approx(4)
    assert growths["self", "time_ms"] == pytest.approx(4)
    assert growths["global", "written_mb"] == pytest.approx(3)
    assert growths["products", "gflops"] == pytest.approx(4)
    assert growths["rest", "gflops"] == pytest.approx(2)
    assert not any(part == "cross" for part, _ in growths)


def test_what_was_not_timed_has_no_growth_in_time() -> None:
    sizes = [make_size(side, timed=False) for side in (320, 640)]
    assert {g.quantity for g in fit_growths(sizes)} == {"gflops", "written_mb"}
    assert {c.quantity for c in find_crossings(sizes)} == {"gflops", "written_mb"}


def test_one_size_and_no_attention_tell_nothing() -> None:
    assert fit_growths([make_size(320)]) == ()
    assert find_crossings([make_size(320)]) == ()
    bare = [make_size(side, attends=False) for side in (320, 640)]
    assert find_crossings(bare) == ()
    assert {g.part for g in fit_growths(bare)} == {"whole", "rest"}
