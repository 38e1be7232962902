"""What axe-core finds fault with, in every theme and at the width of a desk and of a phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from detectattn.report.content import Report
from detectattn.report.gallery import Gallery

_EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The themes differ in nothing but colours.
_PASSES = (
    ("light", 1280, _EVERYTHING),
    ("light", 360, _EVERYTHING),
    ("dark", 1280, ["cat.color"]),
    ("dark", 360, ["cat.color"]),
)


@pytest.mark.parametrize("kind", ["full", "without truth", "one model"])
def test_axe_finds_nothing(
    open_report: Callable[..., Any], reports: Mapping[str, Report], galleries: Mapping[str, Gallery], kind: str
) -> None:
    """The full study has a model that failed, figures that are not to be trusted, and variants."""
    shown = open_report(reports[kind], galleries[kind])
    found = []
    for theme, width, rules in _PASSES:
        shown.page.emulate_media(color_scheme=theme)
        shown.page.set_viewport_size({"width": width, "height": 800})
        shown.settle()
        options = {"resultTypes": ["violations"], "runOnly": rules}
        violations = Axe().run(shown.page, options=options).response["violations"]
        found += [f"{theme}, {width} px: {told}" for told in map(describe, violations)]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def describe(violation: Mapping[str, Any]) -> str:
    """One line a rule: which, how grave, how often, and where first."""
    nodes = violation["nodes"]
    places = "; ".join(" ".join(map(str, node["target"])) for node in nodes[:3])
    why = [part["message"] for part in (*nodes[0]["any"], *nodes[0]["all"], *nodes[0]["none"])][:1]
    return f"{violation['id']} ({violation['impact']}) × {len(nodes)}: {places} {' '.join(why)}"
