"""Names from outside are text, whatever they look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from detectattn.report.content import Report
from samples.studies.galleries import make_gallery
from samples.studies.hostile import make_hostile

HOSTILE = {
    "markup": """<img src=x onerror="document.title='pwned'">'"><svg onload=document.title='pwned'><!--.jpg""",
    "end of script": "</script><script>document.title='pwned'</script> ]]> <!--<script>",
    "code": "javascript:document.title='pwned'//{{7*7}} ${7*7} datum.constructor.constructor('document.title=0')()",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_text(open_report: Callable[..., Any], reports: dict[str, Report], text: str) -> None:
    gallery = make_gallery((text, "other"), 4, inline=2)
    gallery = replace(
        gallery,
        class_names=(text, *gallery.class_names[1:]),
        pictures=tuple(replace(picture, source=f"{number} {text}") for number, picture in enumerate(gallery.pictures)),
    )
    shown = open_report(make_hostile(reports["full"], text), gallery)
    shown.settle()
    shown.check()
    assert text in shown.page.title()
    assert shown.page.locator("[onerror], [onload], img[src='x']").count() == 0
    assert shown.page.locator("a[href^='javascript:']").count() == 0
    assert text in shown.page.locator("body").inner_text()
    assert "49" not in shown.page.locator("h1").inner_text()
