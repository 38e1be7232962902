"""The page of an explanation in a browser: maps are drawn, choices change them, and everyone can read them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from detectattn.drawing.heat import draw_heat
from detectattn.report.explanation import Explanation
from detectattn.report.html.explanation import render_explanation
from detectattn.types import U8
from samples.studies.explanations import make_explanation, make_hostile_explanation
from tests.browser.faults import find_barriers, find_too_wide

_SLIPS = ("NaN", "undefined", "None", "null", "[object", "Infinity", "&amp;", "&lt;", "&#")
_HOSTILE = [
    """<img src=x onerror="document.title='pwned'">.jpg""",
    "</script><script>document.title='pwned'</script>",
    "javascript:document.title='pwned'",
]


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return make_explanation(3, objects=3)


@pytest.fixture
def open_explanation(open_page: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Renders an explanation and opens it when its first picture is drawn."""

    def call(explanation: Explanation, **options: Any) -> Any:
        file = tmp_path / "explain.html"
        file.write_text(render_explanation(explanation), encoding="utf-8")
        shown = open_page(file, **options)
        shown.page.locator("#looks[data-state=shown]").wait_for()
        return shown

    return call


@pytest.fixture
def shown(open_explanation: Callable[..., Any], explanation: Explanation) -> Any:
    return open_explanation(explanation)


def map_of(shown: Any, model: int = 0) -> Any:
    """The first drawing of a model."""
    return shown.page.locator(".looks-row").first.locator(".looks-cell").nth(1 + model).locator("canvas")


def pixels(canvas: Any) -> str:
    return str(canvas.evaluate("(canvas) => canvas.toDataURL()"))


def choose(shown: Any, name: str, value: str) -> None:
    shown.page.get_by_label(f"{name} of rtdetr-l", exact=True).select_option(value)


def test_maps_are_drawn_as_sheets_draw_them(shown: Any, explanation: Explanation) -> None:
    shown.page.get_by_label("whole picture").check()
    drawn = decode(base64.b64decode(pixels(map_of(shown)).partition(",")[2]))
    picture = explanation.pictures[0]
    found = picture.objects[0].found[0]
    assert found is not None
    assert picture.jpeg is not None
    height, width = drawn.shape[:2]
    ground = np.asarray(cv2.resize(decode(picture.jpeg), (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    expected = draw_heat(ground, found.maps[0].grey.astype(np.float32), 255.0)
    # The box alone is not in what is expected; scaling differs a little along edges of the picture's objects.
    differences = np.abs(drawn.astype(int) - expected).max(axis=2)
    assert np.median(differences) <= 3
    assert np.quantile(differences, 0.9) <= 12
    shown.check()


def decode(content: bytes) -> U8:
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_sound(
    open_explanation: Callable[..., Any], explanation: Explanation, screenshot: Callable[..., object], theme: str
) -> None:
    shown = open_explanation(explanation, theme=theme)
    shown.settle()
    screenshot(shown)
    spoken = shown.page.evaluate(
        "() => [...document.querySelectorAll('[aria-label]')].map((e) => e.getAttribute('aria-label'))"
    )
    told = shown.page.locator("body").inner_text() + " ".join(spoken)
    assert [slip for slip in _SLIPS if slip in told] == []
    shown.check()


def test_every_choice_changes_the_map(shown: Any) -> None:
    seen = [pixels(map_of(shown))]
    other = pixels(map_of(shown, 1))
    steps = [
        ("Map", "map-1"), ("Map", "map-5"), ("Map", "cross"), ("Layer", "2"), ("Head", "1"), ("Level", "0"),
        ("Drawing", "density"), ("Layer", "1"), ("Map", "heads-0"), ("Head", "2"),
    ]  # fmt: skip
    for name, value in steps:
        choose(shown, name, value)
        seen.append(pixels(map_of(shown)))
    assert len(set(seen)) == len(seen)
    assert pixels(map_of(shown, 1)) == other
    shown.check()


def test_only_choices_that_apply_are_offered(shown: Any) -> None:
    offered = [shown.page.get_by_label(f"{name} of rtdetr-l", exact=True) for name in ("Layer", "Head", "Level")]
    assert [select.is_visible() for select in offered] == [False, False, False]
    choose(shown, "Map", "cross")
    assert [select.is_visible() for select in offered] == [True, True, True]
    assert shown.page.locator(".looks-level").count() == 3
    choose(shown, "Map", "heads-0")
    assert [select.is_visible() for select in offered] == [False, True, False]
    options = shown.page.get_by_label("Map of yolo11n", exact=True).locator("option").all_inner_texts()
    assert not any("attention" in option for option in options)


def test_a_drawing_is_told_in_words(shown: Any) -> None:
    told = map_of(shown).get_attribute("aria-label")
    for part in ("Cross-attention, last layer", "car of rtdetr-l, score 0.", "% inside the box", "Brightest place: x "):
        assert part in told
    choose(shown, "Map", "cross")
    assert "144 sampling points, all layers, all heads, all levels" in map_of(shown).get_attribute("aria-label")
    choose(shown, "Layer", "2")
    assert "48 sampling points, layer 2" in map_of(shown).get_attribute("aria-label")


def test_a_pointer_is_told_the_figures(shown: Any) -> None:
    cell = shown.page.locator(".looks-cell:has([tabindex])").first
    before = pixels(cell.locator("canvas"))
    cell.locator("canvas").hover()
    assert "of the brightest" in cell.locator(".looks-readout").inner_text()
    choose(shown, "Map", "cross")
    cell.locator("[tabindex]").focus()
    shown.page.keyboard.press(".")
    assert "2 of " in cell.locator(".looks-readout").inner_text()
    assert "level " in cell.locator(".looks-readout").inner_text()
    assert pixels(cell.locator("canvas")) != before


def test_keys_leaf_through_pictures_and_brightest_places(shown: Any) -> None:
    page = shown.page
    number = page.locator("[data-part=number]")
    frame = page.locator(".looks-frame[tabindex]").first
    frame.focus()
    readout = page.locator(".looks-cell:has([tabindex]) .looks-readout").first
    page.keyboard.press(".")
    first = readout.inner_text()
    page.keyboard.press(",")
    assert readout.inner_text() != first
    page.keyboard.press("ArrowRight")
    expect(number).to_have_text("2 of 2")
    assert "below" in page.locator("[data-part=note]").inner_text()
    page.keyboard.press("ArrowLeft")
    expect(number).to_have_text("1 of 2")
    reached = set()
    page.locator("[data-part=picture]").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.name"))
    assert {"looks-window", "Map of rtdetr-l", "Map of yolo11n"} <= reached
    shown.check()


def test_a_choice_is_kept_from_picture_to_picture(shown: Any) -> None:
    choose(shown, "Map", "cross")
    choose(shown, "Head", "1")
    shown.page.get_by_role("button", name="Picture after").click()
    shown.page.locator("[data-part=number]", has_text="2 of 2").wait_for()
    assert shown.page.get_by_label("Head of rtdetr-l", exact=True).input_value() == "1"


def test_the_window_shows_the_whole_picture_or_the_object(shown: Any) -> None:
    smallest = shown.page.locator(".looks-row").last.locator("canvas").last
    around = pixels(smallest)
    shown.page.get_by_label("whole picture").check()
    assert pixels(smallest) != around
    shown.page.get_by_label("around the object").check()
    assert pixels(smallest) == around


def test_axe_finds_nothing(open_explanation: Callable[..., Any], explanation: Explanation) -> None:
    shown = open_explanation(explanation)
    choose(shown, "Map", "cross")
    if found := find_barriers(shown):
        pytest.fail("\n".join(found), pytrace=False)


def test_on_a_phone_nothing_is_cut_off(
    open_explanation: Callable[..., Any], explanation: Explanation, screenshot: Callable[..., object]
) -> None:
    shown = open_explanation(explanation, width=360, height=740, is_mobile=True, has_touch=True)
    shown.settle()
    screenshot(shown)
    assert shown.page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360]
    assert find_too_wide(shown) == []
    first = shown.page.locator(".looks-row").first.locator(".looks-cell:visible")
    boxes = [cell.bounding_box() for cell in first.all()]
    assert all(below["y"] >= above["y"] + above["height"] for above, below in pairwise(boxes))
    shown.check()


def test_the_page_prints(
    open_explanation: Callable[..., Any], explanation: Explanation, screenshot: Callable[..., object]
) -> None:
    shown = open_explanation(explanation, theme="dark")
    shown.settle()
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    shown.page.emulate_media(media="print")
    shown.settle()
    screenshot(shown)
    assert shown.page.locator("button:visible, select:visible, input:visible, nav:visible").count() == 0
    assert shown.page.locator(".looks-cell canvas:visible").count() >= 3
    told = shown.page.locator("#pictures").inner_text()
    assert explanation.pictures[0].source in told
    assert explanation.models[0].methods[0].title in told
    assert len(shown.page.pdf()) > 20_000


@pytest.mark.parametrize("text", _HOSTILE)
def test_a_hostile_name_is_text(open_explanation: Callable[..., Any], text: str) -> None:
    shown = open_explanation(make_hostile_explanation(text))
    shown.settle()
    shown.check()
    assert "pwned" not in shown.page.title().replace(text, "")
    assert shown.page.locator("[onerror], [onload], img[src='x'], a[href^='javascript:']").count() == 0
    assert text in shown.page.locator(".looks-rows").inner_text()


def test_without_scripts_the_page_still_tells(
    open_page: Callable[..., Any], explanation: Explanation, tmp_path: Path
) -> None:
    file = tmp_path / "explain.html"
    file.write_text(render_explanation(explanation), encoding="utf-8")
    shown = open_page(file, java_script_enabled=False)
    told = letters(shown.page.locator("body").inner_text())
    for sentence in (*explanation.sentences, *explanation.caveats):
        assert letters(sentence) in told
    assert "sheets" in shown.page.locator("#pictures").inner_text()


def letters(text: str) -> str:
    """Where a sentence is broken in two is the page's business."""
    return re.sub(r"[^\w%.]|\.(?!\d)", "", text).casefold()
