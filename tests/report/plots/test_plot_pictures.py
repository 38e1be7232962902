"""Plots as pictures, and what draws them on a page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from detectattn.report.content import Report
from detectattn.report.plots import build_plots, bundle_javascript, render_png
from detectattn.report.plots.picture import wrap
from detectattn.report.plots.runtime import close_script_ends


@pytest.mark.parametrize(("dark", "width_px", "scale"), [(False, 600, 2), (True, 800, 1)])
def test_a_picture_has_the_size_and_ground_that_were_asked_for(
    grow: Callable[..., Report], dark: bool, width_px: int, scale: float
) -> None:
    for plot in build_plots(grow(models=2, variants=4))[:2]:
        with Image.open(io.BytesIO(render_png(plot, dark=dark, width_px=width_px, scale=scale))) as picture:
            assert picture.format == "PNG"
            assert abs(picture.width - width_px * scale) <= 2 * scale
            pixels = np.asarray(picture.convert("RGB"))
        assert (pixels[0, 0].mean() < 60) == dark
        # Title, marks and text: far more than a ground.
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


def test_a_picture_holds_title_and_caption_as_lines_that_fit() -> None:
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("", 8) == [""]
    assert max(map(len, wrap("x" * 100, 30))) <= 30


@pytest.fixture(scope="module")
def bundle() -> str:
    return bundle_javascript()


def test_the_bundle_can_stand_inside_of_a_script_element(bundle: str) -> None:
    assert "detectattnPlots" in bundle
    assert re.search(r"</script|<!--", bundle, re.IGNORECASE) is None


def test_the_bundle_makes_no_global_of_its_libraries(bundle: str) -> None:
    assert bundle.startswith("(() => {")
    assert bundle.endswith("})();")


def test_the_bundle_is_made_once(bundle: str) -> None:
    assert bundle_javascript() is bundle


@pytest.mark.parametrize("text", ["</script>", "</SCRIPT >", "</sCrIpt>", "<!-- x"])
def test_what_would_end_a_script_is_closed(text: str) -> None:
    closed = close_script_ends(f'"{text}"')

    assert re.search(r"</script|<!--", closed, re.IGNORECASE) is None
