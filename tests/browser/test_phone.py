"""On a phone: nothing is cut off, and the verdict is what one sees first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from detectattn.report.content import Report
from detectattn.report.gallery import Gallery
from tests.browser.faults import find_too_wide


@pytest.fixture
def open_phone(
    open_report: Callable[..., Any], reports: Mapping[str, Report], galleries: Mapping[str, Gallery]
) -> Callable[..., Any]:
    """Opens one of ``reports`` as a phone does."""

    def call(kind: str, **options: Any) -> Any:
        return open_report(
            reports[kind], galleries[kind], width=360, height=740, is_mobile=True, has_touch=True, **options
        )

    return call


@pytest.mark.parametrize("kind", ["full", "without truth", "one model"])
def test_nothing_reaches_beyond_the_edge(
    open_phone: Callable[..., Any], screenshot: Callable[..., object], kind: str
) -> None:
    shown = open_phone(kind)
    shown.settle()
    screenshot(shown)
    assert shown.page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360]
    assert find_too_wide(shown) == []
    shown.check()


def test_the_first_screen_holds_the_verdict(
    open_phone: Callable[..., Any], screenshot: Callable[..., object], reports: Mapping[str, Report]
) -> None:
    shown = open_phone("full")
    screenshot(shown, "first", whole=False)
    item = shown.page.locator(".verdict li").first
    assert item.locator(".answer").inner_text().endswith("faster than rtdetr-l (2.3–2.5).")
    box = item.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < box["y"] + box["height"] <= 740


def test_a_tap_is_not_a_needle(open_phone: Callable[..., Any]) -> None:
    """Controls are at least 24 px in either direction, as WCAG 2.2 (2.5.8) asks."""
    shown = open_phone("full")
    shown.settle()
    small = shown.page.evaluate(
        """() => [...document.querySelectorAll("button, select, input, summary")]
          .map((e) => [e.outerHTML.slice(0, 80), (e.closest("label") ?? e).getBoundingClientRect()])
          .filter(([, box]) => box.width && (box.width < 23.5 || box.height < 23.5))
          .map(([html, box]) => `${html} ${Math.round(box.width)} × ${Math.round(box.height)}`)"""
    )
    assert not small, "\n".join(small)
