"""The page of a study as a person makes it: the embedded pair on shipped pictures, opened from its run folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli.app import run


@pytest.mark.slow
def test_the_page_of_a_real_study_is_sound(
    open_page: Callable[..., Any], screenshot: Callable[..., object], browser: object, tmp_path: Path
) -> None:
    folder = tmp_path / "a study, with spaces & an umlaut ü"
    assert run(["compare", "--limit", "6", "--rounds", "2", "-o", str(folder), "--quiet"]) == 0
    shown = open_page(folder / "report.html")
    shown.settle()
    screenshot(shown, "light")
    pictures = shown.page.evaluate(
        "() => [...document.images].filter((i) => i.offsetParent).map((i) => [i.src.slice(0, 80), i.naturalWidth])"
    )
    assert pictures
    assert [source for source, width in pictures if width < 50] == []
    shown.page.emulate_media(color_scheme="dark")
    shown.settle()
    screenshot(shown, "dark")
    text = shown.page.locator("body").inner_text()
    assert "demo-rtdetr" in text
    assert "demo-yolo" in text
    for wrong in ("NaN", "undefined", "None", "[object Object]", "Infinity"):
        assert wrong not in text
    shown.check()
