"""A thousand pictures of two models are no burden: the page stays small and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from detectattn.report.content import Report
from samples.studies.galleries import make_gallery

PICTURES = 1000


def test_a_thousand_pictures_are_no_burden(open_report: Callable[..., Any], reports: Mapping[str, Report]) -> None:
    """What time it takes to answer is measured by ``python -m benchmarks report_page``."""
    shown = open_report(reports["full"], make_gallery(("rtdetr-l", "yolo11n"), PICTURES))
    assert shown.file.stat().st_size < 15_000_000
    page = shown.page
    page.locator("[data-part=after]").focus()
    for place in range(2, 31):
        page.keyboard.press("ArrowRight")
        assert page.locator("[data-part=number]").inner_text() == f"{place} of 1,000"
    page.locator("[data-part=image]").evaluate("(image) => image.decode()")
    image = page.locator("[data-part=image]").evaluate("(i) => [i.currentSrc.slice(0, 5), i.naturalWidth]")
    assert image == ["file:", 480]
    # Cards stand for pictures a page at a time.
    assert page.locator("[data-part=list] li").count() < 100
    assert page.evaluate("document.querySelectorAll('*').length") < 20_000
    shown.check()
