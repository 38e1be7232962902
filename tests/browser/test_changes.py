"""The page on what changed between two studies: sound, whole, and for everyone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from detectattn.compare.changes import build_changes
from detectattn.report.html.changes import render_changes_html
from tests.browser.faults import describe
from tests.compare.changes.studies import IMAGES, Entrant, make_side

_NAME = "<img src=x onerror=alert(1)>"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A comparison in which accuracy, time and conditions changed, and one model has a name that looks like markup."""
    models = {"yolo": Entrant(), "detr": Entrant(forward_ms=80.0), _NAME: Entrant()}
    worse = {**models, "yolo": Entrant(shift=6.0, forward_ms=50.0), _NAME: Entrant(info={"engine": "torch"})}
    changes = build_changes(make_side("runs/a", models), make_side("runs/b", worse, IMAGES[2:]))
    path = tmp_path / "changes.html"
    path.write_text(render_changes_html(changes), encoding="utf-8")
    return path


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_the_page_is_sound(
    open_page: Callable[..., Any], screenshot: Callable[..., object], file: Path, theme: str, width: int
) -> None:
    shown = open_page(file, theme=theme, width=width)
    shown.settle()
    screenshot(shown)
    shown.check()
    assert shown.page.locator(".drawing svg").count() == 2
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert _NAME in shown.page.locator("body").inner_text()
    violations = Axe().run(shown.page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [describe(violation) for violation in violations] == []
