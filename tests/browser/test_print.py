"""On paper: the verdict, the tables and the plots, and nothing that one would have to click."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from detectattn.report.content import Report
from detectattn.report.gallery import Gallery


@pytest.fixture
def poppler() -> Callable[..., str]:
    """Runs one of Poppler's programs: ``poppler("pdftotext", file, "-")`` gives what it prints."""
    if not shutil.which("pdftotext"):
        reason = "No pdftotext, which reads PDF files. Debian, Ubuntu: apt install poppler-utils."
        if os.environ.get("DETECTATTN_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)

    def call(*words: object) -> str:
        return subprocess.run([str(w) for w in words], capture_output=True, text=True, check=True).stdout

    return call


def without_spaces(text: str) -> str:
    """Where lines break is the paper's business."""
    return "".join(text.split())


def test_the_page_prints(
    open_report: Callable[..., Any],
    screenshot: Callable[..., object],
    poppler: Callable[..., str],
    reports: Mapping[str, Report],
    galleries: Mapping[str, Gallery],
    tmp_path: Path,
) -> None:
    report = reports["full"]
    # Paper is white, whatever the reader's screen is.
    shown = open_report(report, galleries["full"], theme="dark")
    pdf = tmp_path / "report.pdf"
    shown.page.pdf(path=pdf, format="A4", print_background=True)
    shown.check()
    pages = int(re.search(r"^Pages:\s+(\d+)", poppler("pdfinfo", pdf), re.MULTILINE)[1])  # type: ignore[index]
    assert 3 <= pages <= 30
    text = without_spaces(poppler("pdftotext", pdf, "-"))
    for sentence in report.verdict:
        # An answer ends with a full stop of its own.
        texts = (sentence.text, sentence.text.replace(": ", ". ", 1))
        assert any(without_spaces(each) in text.replace("✓", "") for each in texts)
    for model in report.models:
        assert without_spaces(model.name) in text
    assert report.models[0].sha256 in text
    shown.page.emulate_media(media="print")
    screenshot(shown)
    assert shown.page.locator("button:visible, select:visible, input:visible, nav:visible").count() == 0
    assert shown.page.locator("figure svg:visible, figure canvas:visible").count() >= 3


def test_paper_is_light(open_report: Callable[..., Any], reports: Mapping[str, Report]) -> None:
    shown = open_report(reports["full"], theme="dark")
    shown.page.emulate_media(media="print")
    red, green, blue = shown.page.evaluate(
        "getComputedStyle(document.body).color.match(/[0-9.]+/g).slice(0, 3).map(Number)"
    )
    assert max(red, green, blue) < 100


def test_no_page_cuts_a_plot_in_two(open_report: Callable[..., Any], reports: Mapping[str, Report]) -> None:
    shown = open_report(reports["full"])
    shown.page.emulate_media(media="print")
    breaking = shown.page.evaluate(
        """() => [...document.querySelectorAll("figure")].filter((f) => getComputedStyle(f).breakInside !== "avoid")
          .map((f) => f.id || f.textContent.trim().slice(0, 40))"""
    )
    assert breaking == []
