"""Plots answer to a pointer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from detectattn.report.content import Report


@pytest.fixture
def shown(open_report: Callable[..., Any], reports: Mapping[str, Report]) -> Any:
    opened = open_report(reports["full"])
    opened.settle()
    return opened


def test_a_pointer_on_a_mark_is_told_the_numbers(shown: Any, screenshot: Callable[..., object]) -> None:
    page = shown.page
    figure = page.locator("figure:has(svg .mark-symbol)").first
    figure.scroll_into_view_if_needed()
    mark = figure.locator("svg .mark-symbol path").first
    mark.hover(force=True)
    tooltip = page.locator(".plot-tip")
    tooltip.wait_for(state="visible")
    screenshot(shown, "tooltip", whole=False)
    told = tooltip.inner_text()
    assert any(model in told for model in ("rtdetr-l", "yolo11n", "elsewhere"))
    assert any(character.isdigit() for character in told)
    shown.check()


def test_every_plot_is_told_in_words(shown: Any) -> None:
    """Who cannot see a plot is told what it says, once."""
    names = shown.page.evaluate(
        """() => [...document.querySelectorAll("figure svg.marks, figure svg[role]")].map((svg) => {
          const named = svg.closest("[aria-label]");
          return named?.getAttribute("aria-label") ?? "";
        })"""
    )
    assert names
    assert [name for name in names if len(name) < 40] == []


def test_the_first_screen_holds_the_frontier(open_report: Callable[..., Any], reports: Mapping[str, Report]) -> None:
    """Of two models: the verdict, both cards and the top of the plot."""
    full = reports["full"]
    two = [model for model in full.models if model.name in ("rtdetr-l", "yolo11n")]
    opened = open_report(replace(full, models=tuple(two), gates=(), caveats=()))
    opened.settle()
    box = opened.page.locator("#plot-frontier svg").first.bounding_box()
    assert box is not None
    assert box["y"] < 760


def test_a_legend_keeps_all_its_lines_when_a_plot_grows_narrow(shown: Any) -> None:
    shown.page.set_viewport_size({"width": 360, "height": 740})
    shown.page.wait_for_function(
        """() => {
          const svg = document.querySelector("#plot-frontier svg");
          const tops = [...svg.querySelectorAll(".role-legend text")].map((text) => text.getBoundingClientRect().top);
          return svg.clientWidth < 360 && tops.length === 2 && Math.min(...tops) >= svg.getBoundingClientRect().top;
        }"""
    )
