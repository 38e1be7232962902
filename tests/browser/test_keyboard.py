"""Everything is reached and seen without a mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from detectattn.report.content import Report
from detectattn.report.gallery import Gallery

# Where the focus is, and what shows it: an outline or a ring, on the element or on what stands for it.
_FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const shows = (x) => x && [getComputedStyle(x), getComputedStyle(x, "::after")].some((style) =>
    (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none");
  const box = e.getBoundingClientRect();
  return {
    what: `${e.tagName.toLowerCase()} ${(e.getAttribute("aria-label") ?? e.textContent ?? "").trim().slice(0, 40)}`,
    place: e.closest("section, header, nav, footer")?.id ?? "",
    visible: Boolean(shows(e) || shows(e.closest("label")) || shows(e.nextElementSibling)),
    onScreen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    table: e.closest("table, .table, figure, [role=region]") !== null,
  };
}"""


@pytest.fixture
def shown(open_report: Callable[..., Any], reports: Mapping[str, Report], galleries: Mapping[str, Gallery]) -> Any:
    return open_report(reports["full"], galleries["full"], reduced_motion="reduce")


def walk(page: Any, limit: int = 200) -> Iterator[dict[str, Any]]:
    """Where Tab leads, from the top of the page until it leaves."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS)
        # Plots are drawn when they come near, and what is below them moves before the browser follows.
        for _ in range(10):
            if focus is None or focus["onScreen"]:
                break
            page.wait_for_timeout(100)
            focus = page.evaluate(_FOCUS)
        if focus is None:
            return
        yield focus


def test_the_first_stop_skips_to_the_content(shown: Any) -> None:
    page = shown.page
    page.keyboard.press("Tab")
    first = page.evaluate(_FOCUS)
    assert first["what"].startswith("a ")
    assert first["onScreen"]
    page.keyboard.press("Enter")
    target = page.evaluate("document.querySelector(location.hash)?.tagName ?? null")
    assert target == "MAIN"


def test_tab_reaches_everything_and_shows_where_it_is(shown: Any) -> None:
    stops = list(walk(shown.page))
    assert [stop["what"] for stop in stops if not stop["visible"]] == []
    assert [stop["what"] for stop in stops if not stop["onScreen"]] == []
    told = " ".join(stop["what"] for stop in stops).lower()
    assert "theme" in told or "dark" in told
    assert any("button" in stop["what"] and stop["table"] for stop in stops)
    assert any("explorer" in stop["place"] or "pictures" in stop["place"] for stop in stops)
    shown.check()


def test_arrows_leaf_through_pictures(shown: Any) -> None:
    page = shown.page
    number = page.locator("[data-part=number]")
    page.locator("[data-part=before]").or_(page.locator("[data-part=after]")).last.focus()
    for key, place in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)):
        page.keyboard.press(key)
        assert number.inner_text() == f"{place} of 30"
    shown.check()
