"""What may be wrong with any page: faults that axe-core finds, and things that reach beyond the edge of a phone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axe_playwright_python.sync_playwright import Axe

_EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The themes differ in nothing but colours.
_PASSES = (
    ("light", 1280, _EVERYTHING),
    ("light", 360, _EVERYTHING),
    ("dark", 1280, ["cat.color"]),
    ("dark", 360, ["cat.color"]),
)
# What reaches beyond the right edge without something around it that scrolls or cuts.
_TOO_WIDE = """() => {
  const cut = (e) => e && e !== document.body &&
    (getComputedStyle(e).overflowX !== "visible" || cut(e.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !cut(e.parentElement))
    .map((e) => `${e.tagName} ${e.className} ${Math.round(e.getBoundingClientRect().right)}`);
}"""


def find_barriers(shown: Any) -> list[str]:
    """What axe-core finds fault with, in every theme and at the width of a desk and of a phone; a line each."""
    found = []
    for theme, width, rules in _PASSES:
        shown.page.emulate_media(color_scheme=theme)
        shown.page.set_viewport_size({"width": width, "height": 800})
        shown.settle()
        options = {"resultTypes": ["violations"], "runOnly": rules}
        violations = Axe().run(shown.page, options=options).response["violations"]
        found += [f"{theme}, {width} px: {told}" for told in map(describe, violations)]
    return found


def find_too_wide(shown: Any) -> list[str]:
    """What a reader cannot get to see, on a page as wide as it is shown now."""
    names: list[str] = shown.page.evaluate(_TOO_WIDE)
    return names


def describe(violation: Mapping[str, Any]) -> str:
    """One line a rule: which, how grave, how often, and where first."""
    nodes = violation["nodes"]
    places = "; ".join(" ".join(map(str, node["target"])) for node in nodes[:3])
    why = [part["message"] for part in (*nodes[0]["any"], *nodes[0]["all"], *nodes[0]["none"])][:1]
    return f"{violation['id']} ({violation['impact']}) × {len(nodes)}: {places} {' '.join(why)}"
