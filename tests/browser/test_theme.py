"""Light and dark: as the system has it, or as the reader wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from detectattn.report.content import Report
from detectattn.report.gallery import Gallery

_GROUND = """() => {
  const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const ground = [document.body, document.documentElement].map((e) => getComputedStyle(e).backgroundColor)
    .find((color) => color !== "rgba(0, 0, 0, 0)");
  paint.fillStyle = ground;
  paint.fillRect(0, 0, 1, 1);
  return paint.getImageData(0, 0, 1, 1).data[1];
}"""


def is_dark(page: Any) -> bool:
    """Whether the page's ground is."""
    return int(page.evaluate(_GROUND)) < 100


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_system_decides_first(open_report: Callable[..., Any], reports: Mapping[str, Report], theme: str) -> None:
    shown = open_report(reports["full"], theme=theme)
    assert is_dark(shown.page) == (theme == "dark")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_choice_is_kept(
    open_report: Callable[..., Any],
    screenshot: Callable[..., object],
    reports: Mapping[str, Report],
    galleries: Mapping[str, Gallery],
    theme: str,
) -> None:
    shown = open_report(reports["full"], galleries["full"], theme=theme)
    other = {"light": "Dark theme", "dark": "Light theme"}
    shown.page.get_by_role("button", name=other[theme]).click()
    # The button says what it does, not what is.
    assert shown.page.locator("#theme").inner_text() == ("Light theme" if theme == "light" else "Dark theme")
    assert is_dark(shown.page) != (theme == "dark")
    shown.page.wait_for_timeout(500)  # browsers write down what a page stores a moment later
    shown.page.reload()
    assert is_dark(shown.page) != (theme == "dark")
    shown.settle()
    screenshot(shown, "chosen", whole=False)
    shown.check()


def test_nothing_moves_for_who_wants_no_motion(open_report: Callable[..., Any], reports: Mapping[str, Report]) -> None:
    shown = open_report(reports["full"], reduced_motion="reduce")
    moving = shown.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((e) => {
          const style = getComputedStyle(e);
          const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0.01);
          return lasts(style.transitionDuration) || (style.animationName !== "none" && lasts(style.animationDuration))
            || style.scrollBehavior === "smooth";
        }).map((e) => `${e.tagName} ${e.className}`)"""
    )
    assert moving == []
