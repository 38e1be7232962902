"""The page in Chromium: opened from disk as a double click does it, and watched for whatever goes wrong in it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from detectattn.report.content import Report
from detectattn.report.gallery import Gallery
from detectattn.report.html import render_html
from samples.studies.galleries import draw_thumbnail, make_gallery
from samples.studies.reports import keep_one, leave_truth_out, make_study

ROOT = Path(__file__).resolve().parents[2]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_NO_BROWSER = (
    f"No browser: none of {', '.join(_BROWSERS)} is on the PATH. Debian, Ubuntu: apt install chromium. "
    "Fedora: dnf install chromium."
)
# A policy that is broken is reported to the page itself; the console does not tell of every kind.
_WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (e) =>
  window.__violations.push(`${e.effectiveDirective} refuses ${e.blockedURI} at line ${e.lineNumber}`));
"""
_SCROLL = """async () => {
  const [left, top] = [scrollX, scrollY];
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
    scrollTo({top: y, behavior: "instant"});
    await new Promise(requestAnimationFrame);
  }
  scrollTo({left, top, behavior: "instant"});
}"""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium a worker. Without one tests are skipped, and fail where DETECTATTN_BROWSER is ``required``."""
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if program is None:
        if os.environ.get("DETECTATTN_BROWSER") == "required":
            pytest.fail(_NO_BROWSER)
        pytest.skip(_NO_BROWSER)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--disable-background-networking"])
        yield chromium
        chromium.close()


@dataclass(eq=False)
class OpenPage:
    """A page in a browser, and what happened in it.

    Attributes:
        page: Playwright's handle.
        file: The page on disk.
        problems: What the console called an error or a warning, and exceptions that nothing caught.
        outside: Addresses that were asked for beyond the page's own folder; inline data is not among them.
        missing: Files in that folder that were asked for and not found.
    """

    page: Page
    file: Path
    problems: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("request", self._see)
        self.page.on("requestfailed", self._miss)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.problems.append(f"{message.type}: {message.text}")

    def _see(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:", self.file.parent.as_uri() + "/")):
            self.outside.append(request.url)

    def _miss(self, request: Request) -> None:
        # A picture that is left before it has arrived is no fault.
        if request.failure != "net::ERR_ABORTED":
            self.missing.append(request.url)

    def settle(self) -> None:
        """Wait until every plot is drawn and every picture in sight is there."""
        self.page.evaluate(
            """async () => {
              const pause = () => new Promise((done) => setTimeout(done, 20));
              const isDrawn = (plot) => plot.querySelector("svg");
              const isThere = (image) => image.complete || image.loading === "lazy";
              const until = performance.now() + 10000;
              while (performance.now() < until) {
                const plots = [...document.querySelectorAll("[data-plot]")];
                if (plots.every(isDrawn) && [...document.images].every(isThere)) break;
                await pause();
              }
              await pause();
            }"""
        )

    def check(self) -> None:
        """Fails the test with everything that should not have happened; a sound page lets it pass."""
        violations = self.page.evaluate("window.__violations")
        faults = [
            *self.problems,
            *(f"against its policy: {text}" for text in violations),
            *(f"asks for {url}" for url in self.outside),
            *(f"not found: {url}" for url in self.missing),
        ]
        if faults:
            pytest.fail("\n".join(["The page is not sound.", *dict.fromkeys(faults)]), pytrace=False)


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Callable[..., BrowserContext]:
    """Opens a browsing context with no network; ``theme``, ``width`` and ``height`` by name, the rest as Playwright."""

    def open_context(*, theme: str = "light", width: int = 1280, height: int = 800, **options: Any) -> BrowserContext:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            offline=True,
            **options,
        )
        context.set_default_timeout(15_000)
        context.add_init_script(_WATCH)
        return context

    return open_context


@pytest.fixture
def open_page(
    contexts: Callable[..., BrowserContext], take_picture: Callable[..., None], request: pytest.FixtureRequest
) -> Iterator[Callable[..., OpenPage]]:
    """Opens a file of the disk: ``open_page(file, theme="dark", width=360)``; a test that fails leaves a screenshot."""
    opened: list[OpenPage] = []

    def call(file: Path, **options: Any) -> OpenPage:
        shown = OpenPage(contexts(**options).new_page(), file)
        opened.append(shown)
        shown.page.goto(file.as_uri())
        return shown

    failed = request.session.testsfailed
    yield call
    for number, shown in enumerate(opened):
        if request.session.testsfailed > failed:
            take_picture(shown, f"failed-{number}")
        shown.page.context.close()


@pytest.fixture
def open_report(open_page: Callable[..., OpenPage], tmp_path: Path) -> Callable[..., OpenPage]:
    """Renders a report and opens it: ``open_report(report, gallery, theme="dark", width=360)``.

    Thumbnails that a made-up gallery names lie beside the page.
    """

    def call(report: Report, gallery: Gallery | None = None, **options: Any) -> OpenPage:
        return open_page(write_page(tmp_path, report, gallery), **options)

    return call


def write_page(folder: Path, report: Report, gallery: Gallery | None) -> Path:
    """Write ``report.html`` and the thumbnails that it names; returns its path."""
    file = folder / "report.html"
    file.write_text(render_html(report, gallery), encoding="utf-8")
    for number, picture in enumerate(gallery.pictures if gallery else ()):
        if picture.path is not None:
            path = folder / picture.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(draw_thumbnail(number))
    return file


@pytest.fixture
def take_picture(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Takes a picture of a page: ``take_picture(shown, "dark")``; CONTRIBUTING.md says where it is kept."""
    folder = Path(os.environ.get("DETECTATTN_SCREENSHOTS") or ROOT / "build" / "screenshots")
    test = re.sub(r"\W+", "-", f"{request.path.stem.removeprefix('test_')}-{request.node.name.removeprefix('test_')}")

    def call(shown: OpenPage, label: str = "page", *, whole: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{test.strip('-')}-{label}.png"
        shown.page.screenshot(path=path, full_page=whole, animations="disabled")

    return call


@pytest.fixture
def screenshot(take_picture: Callable[..., None]) -> Callable[..., None]:
    """The same where DETECTATTN_SCREENSHOTS asks for it: a picture of a whole page takes seconds to write.

    Without one the page is scrolled through, so that whatever waits to be in sight is asked for all the same.
    """
    if os.environ.get("DETECTATTN_SCREENSHOTS"):
        return take_picture

    def look(shown: OpenPage, label: str = "page", *, whole: bool = True) -> None:
        if whole:
            shown.page.evaluate(_SCROLL)

    return look


@pytest.fixture(scope="package")
def reports() -> dict[str, Report]:
    """By name: a study with everything in it, what is left without ground truth, and a single model."""
    full = make_study()
    return {"full": full, "without truth": leave_truth_out(full), "one model": keep_one(full)}


@pytest.fixture(scope="package")
def galleries(reports: dict[str, Report]) -> dict[str, Gallery]:
    """The pictures of each of ``reports``."""
    return {
        name: make_gallery(model_names(report), 30, inline=12, truth=report.conditions.truth is not None)
        for name, report in reports.items()
    }


def model_names(report: Report) -> tuple[str, ...]:
    """Whom a gallery has: all that finished, without variants."""
    return tuple(model.name for model in report.models if model.name == model.base and model.status == "finished")
