"""Nothing goes wrong in the page, nothing is asked of a network, and every plot is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from detectattn.report.content import Report
from detectattn.report.gallery import Gallery

# Marks of every figure: what an SVG or a canvas draws, or a picture that arrived.
_MARKS = """() => [...document.querySelectorAll("figure")].map((figure) => {
  const shapes = figure.querySelectorAll("svg path, svg circle, svg rect, svg line, svg text").length;
  const painted = [...figure.querySelectorAll("canvas")].filter((c) => c.width * c.height > 0).length;
  const pictures = [...figure.querySelectorAll("img")].filter((i) => i.naturalWidth > 0).length;
  return {figure: figure.id || figure.textContent.trim().slice(0, 60), marks: shapes + 10 * (painted + pictures)};
})"""

_SPOKEN = "() => [...document.querySelectorAll('[aria-label], [alt]')].map((e) => e.ariaLabel ?? e.alt)"
_SLIPS = ("NaN", "undefined", "None", "null", "[object", "Infinity", "&amp;", "&lt;", "&#", "\\x", "\\u", "1e+", " nan")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["full", "without truth", "one model"])
def test_the_page_is_sound(
    open_report: Callable[..., Any],
    screenshot: Callable[..., object],
    reports: Mapping[str, Report],
    galleries: Mapping[str, Gallery],
    kind: str,
    theme: str,
) -> None:
    shown = open_report(reports[kind], galleries[kind], theme=theme)
    shown.settle()
    screenshot(shown)
    shown.check()
    told = shown.page.locator("body").inner_text() + " ".join(shown.page.evaluate(_SPOKEN))
    # What a program says by mistake: a value that is not there, text that was escaped twice.
    assert [slip for slip in _SLIPS if slip in told] == []
    figures = shown.page.evaluate(_MARKS)
    assert [figure for figure in figures if figure["marks"] < 5] == []
    if kind != "one model":
        assert figures


def test_a_page_without_pictures_is_sound(open_report: Callable[..., Any], reports: Mapping[str, Report]) -> None:
    shown = open_report(reports["full"])
    shown.settle()
    shown.check()
    assert shown.page.locator("h1").is_visible()


def test_without_scripts_the_page_still_tells(
    open_report: Callable[..., Any], reports: Mapping[str, Report], galleries: Mapping[str, Gallery]
) -> None:
    report = reports["full"]
    shown = open_report(report, galleries["full"], java_script_enabled=False)
    text = "".join(shown.page.locator("body").inner_text().split())
    for told in (*report.verdict, *report.caveats):
        # What stands before a colon is a sentence of its own on the page.
        for part in told.text.rstrip(".").split(": "):
            assert "".join(part.split()) in text
    assert shown.page.locator("table").count() >= 3
