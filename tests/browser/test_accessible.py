"""What axe-core finds fault with, in every theme and at the width of a desk and of a phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from detectattn.report.content import Report
from detectattn.report.gallery import Gallery
from tests.browser.faults import find_barriers


@pytest.mark.parametrize("kind", ["full", "without truth", "one model"])
def test_axe_finds_nothing(
    open_report: Callable[..., Any], reports: Mapping[str, Report], galleries: Mapping[str, Gallery], kind: str
) -> None:
    """The full study has a model that failed, figures that are not to be trusted, and variants."""
    shown = open_report(reports[kind], galleries[kind])
    if found := find_barriers(shown):
        pytest.fail("\n".join(found), pytrace=False)
