"""The page as assistive programs read it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from detectattn.report.content import Report
from detectattn.report.html import render_html
from samples.studies.galleries import make_gallery
from tests.report.html_pages import Element, read_page


@pytest.fixture(params=["study", "without_truth", "lone", "with pictures", "without times"])
def page(request: pytest.FixtureRequest) -> Element:
    if request.param == "without times":
        return read_page(render_html(replace(request.getfixturevalue("study"), frontier=None, ratios=())))
    if request.param == "with pictures":
        return read_page(render_html(request.getfixturevalue("study"), make_gallery(("rtdetr-l", "yolo11n"), 3)))
    return read_page(render_html(request.getfixturevalue(request.param)))


def test_identifiers_are_unique_and_lead_somewhere(page: Element) -> None:
    names = [e.attributes["id"] for e in page.walk() if "id" in e.attributes]
    assert len(names) == len(set(names))
    targets = {(e.attributes["href"] or "")[1:] for e in page.find("a")}
    labels = {label for e in page.walk() for label in (e.attributes.get("aria-labelledby") or "").split()}
    assert targets | labels <= set(names)
    assert "content" in targets


def test_headings_skip_no_level(page: Element) -> None:
    levels = [int(e.tag[1]) for e in page.find("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1] == []


def test_tables_have_captions_and_headers(page: Element) -> None:
    tables = page.find("table")
    assert tables
    for table in tables:
        [caption] = table.find("caption")
        assert caption.words
        heads = [e for e in table.find("thead")[0].find("th", "td") if e.tag == "th" or e.words]
        assert heads
        assert {e.attributes.get("scope") for e in heads} == {"col"}
        for row in table.find("tbody")[0].find("tr"):
            assert [e.attributes["scope"] for e in row.find("th")] == ["row"]


def test_what_scrolls_is_reached_and_named(page: Element) -> None:
    for scroller in page.of_class("scroll"):
        assert scroller.attributes["tabindex"] == "0"
        assert page.by_id(scroller.attributes["aria-labelledby"] or "").words


def test_pictures_are_told_in_words(page: Element) -> None:
    assert [e.attributes for e in page.find("img") if e.attributes.get("alt") is None] == []
    for drawing in page.of_class("drawing"):
        assert drawing.attributes["role"] == "img"
        assert len(drawing.attributes["aria-label"] or "") > 40
    for drawing in page.find("svg"):
        assert drawing.attributes.get("aria-hidden") == "true" or drawing.attributes.get("aria-label")


def test_the_page_says_what_it_is(page: Element, study: Report) -> None:
    [html] = page.find("html")
    assert html.attributes["lang"] == "en"
    metas = {e.attributes.get("name"): e.attributes.get("content") for e in page.find("meta")}
    assert (metas["generator"] or "").startswith("detectattn ")
    assert page.find("title")[0].source == page.find("h1")[0].words
    assert page.find("time")[0].attributes["datetime"] == study.created
    assert len(page.find("main")) == 1


def test_every_button_has_a_name(page: Element) -> None:
    assert [e for e in page.find("button") if not (e.words or e.attributes.get("aria-label"))] == []
