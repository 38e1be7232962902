"""The page of a study as a person makes it: the embedded pair on shipped pictures, opened from its run folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

IMAGES = 6


@pytest.mark.slow
@pytest.mark.timeout(400)  # A study's child processes share the machine with the other workers of the suite.
def test_the_page_of_a_real_study_is_sound(
    open_page: Callable[..., Any], screenshot: Callable[..., object], real_study: Path
) -> None:
    shown = open_page(real_study / "report.html")
    shown.settle()
    screenshot(shown, "light")
    leaf_through(shown.page, IMAGES)
    shown.page.emulate_media(color_scheme="dark")
    shown.settle()
    screenshot(shown, "dark")
    text = shown.page.locator("body").inner_text()
    assert "demo-rtdetr" in text
    assert "demo-yolo" in text
    for wrong in ("NaN", "undefined", "None", "[object Object]", "Infinity"):
        assert wrong not in text
    shown.check()


def leaf_through(page: Any, count: int) -> None:
    """Every picture arrives, and each model has found something in some of them."""
    image = page.locator("[data-part=image]")
    boxes = {"layer-a": 0, "layer-b": 0}
    page.locator("[data-part=after]").focus()
    for place in range(1, count + 1):
        assert page.locator("[data-part=number]").inner_text() == f"{place} of {count}"
        image.evaluate("(image) => image.decode()")
        assert image.evaluate("(image) => image.naturalWidth") > 200
        for layer in boxes:
            boxes[layer] += page.locator(f"[data-part={layer}] > *").count()
        page.keyboard.press("ArrowRight")
    assert min(boxes.values()) > count
