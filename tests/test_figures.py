"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.figures import format_about, format_accuracy, format_factors, format_figure, format_interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.52949, "0.529"), (41.23, "41.2"), (1234.5, "1,230"), (-0.02, "−0.0200"), (0, "0"), (9.999, "10.0"),
        (0.00123, "0.00123"), (math.nan, "unknown"), (math.inf, "unknown"),
    ],
)  # fmt: skip
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert format_figure(value) == text


@given(st.floats(1e-6, 1e9))
def test_a_figure_is_within_half_a_percent_of_its_number(value: float) -> None:
    assert float(format_figure(value).replace(",", "")) == pytest.approx(value, rel=0.00501)


@pytest.mark.parametrize(("value", "text"), [(0.5294, "0.529"), (1, "1.000"), (-0.25, "−0.250"), (math.nan, "unknown")])
def test_accuracies_have_three_decimals(value: float, text: str) -> None:
    assert format_accuracy(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(287, "300"), (300, "300"), (301, "400"), (25, "25"), (7, "8"), (1100, "1,500"), (950_001, "1,000,000"), (0, "0")],
)  # fmt: skip
def test_about_is_a_round_number(count: int, text: str) -> None:
    assert format_about(count) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.0121, 0.0937, "0.012–0.094"),
        (-0.0311, 0.0937, "−0.031 to 0.094"),
        (-0.0937, -0.0121, "−0.094 to −0.012"),
        (0.0003, 0.0937, "0.0003–0.0937"),
        (-0.0937, -0.0003, "−0.0937 to −0.0003"),
        (0, 0.0937, "0.000–0.094"),
        (math.nan, math.nan, "interval unknown"),
    ],
)
def test_an_interval_that_excludes_0_is_not_shown_with_it(low: float, high: float, text: str) -> None:
    assert format_interval(low, high) == text


@pytest.mark.parametrize(
    ("factor", "low", "high", "decided", "shown"),
    [
        (2.4, 2.31, 2.49, True, ("2.4", "2.3", "2.5")),
        (1.02, 1.002, 1.04, True, ("1.020", "1.002", "1.040")),
        (1.02, 0.99, 1.05, False, ("1.02", "0.99", "1.05")),
        (12, 11.8, 12.3, True, ("12.0", "11.8", "12.3")),
    ],
)
def test_factors_tell_their_ends_apart(
    factor: float, low: float, high: float, decided: bool, shown: tuple[str, str, str]
) -> None:
    assert format_factors(factor, low, high, apart_from_one=decided) == shown
