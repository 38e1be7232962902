"""What a reader waits for: the page of a study of 1,000 pictures and two models, beside an empty page."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from detectattn.report.html import render_html
from samples.studies.galleries import draw_thumbnail, make_gallery
from samples.studies.reports import make_study

_PICTURES = 1000
_ROUNDS = 7
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Answers to a key as the picture browser does, and holds nothing else.
_EMPTY = """<!doctype html><html lang="en"><title>Empty</title>
<button data-part="after">→</button> <span data-part="number">1</span>
<script>
const number = document.querySelector("[data-part=number]");
addEventListener("keydown", () => { number.textContent = Number(number.textContent) + 1; });
</script>"""


def measure() -> dict[str, Any]:
    """Size of the page, seconds to make it, and milliseconds from opening it to its answer to a key.

    The first page of a process takes longer to make than later ones: libraries for plots are read once. Both pages
    are opened in a new context each time, interleaved; medians.

    Raises:
        RuntimeError: There is no Chromium.
    """
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if program is None:
        raise RuntimeError(f"none of {', '.join(_BROWSERS)} is on the PATH")
    with TemporaryDirectory(prefix="detectattn-page-") as name, sync_playwright() as playwright:
        folder = Path(name)
        build_s = _write_pages(folder)
        chromium = playwright.chromium.launch(executable_path=program)
        full, empty = _interleave(lambda page: _time_answer(chromium, folder / page), "report.html", "empty.html")
        chromium.close()
        size = (folder / "report.html").stat().st_size
    return {
        "pictures": _PICTURES,
        "page_mb": round(size / 1e6, 2),
        "build_s": round(build_s, 2),
        "interactive_ms": round(full),
        "empty_interactive_ms": round(empty),
        "ratio": round(full / empty, 2),
    }


def _write_pages(folder: Path) -> float:
    """Both pages, and the pictures beside them; returns the seconds that the report took."""
    report, gallery = make_study(), make_gallery(("rtdetr-l", "yolo11n"), _PICTURES)
    start = time.perf_counter()
    text = render_html(report, gallery)
    build_s = time.perf_counter() - start
    (folder / "report.html").write_text(text, encoding="utf-8")
    (folder / "empty.html").write_text(_EMPTY, encoding="utf-8")
    (folder / "thumbnails").mkdir()
    for number, picture in enumerate(gallery.pictures):
        assert picture.path is not None
        (folder / picture.path).write_bytes(draw_thumbnail(number))
    return build_s


def _interleave(time_page: Callable[[str], float], *pages: str) -> tuple[float, ...]:
    """The median of each page over as many rounds; the first round warms up and does not count."""
    rounds = [[time_page(page) for page in pages] for _ in range(_ROUNDS + 1)]
    return tuple(median(values) for values in zip(*rounds[1:], strict=True))


def _time_answer(chromium: Browser, file: Path) -> float:
    """Milliseconds from the call that opens a page to the moment that a key has changed what it shows."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page = context.new_page()
    number = page.locator("[data-part=number]")
    start = time.perf_counter()
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    page.locator("[data-part=after]").focus()
    before = number.inner_text()
    page.keyboard.press("ArrowRight")
    while number.inner_text() == before:
        continue
    waited_ms = 1000 * (time.perf_counter() - start)
    context.close()
    return waited_ms
