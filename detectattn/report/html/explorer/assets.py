"""The script and the style sheet of the picture browser, as text to stand in the page."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
# Each builds on those before it.
_SCRIPTS = (
    "findings.js",
    "filters.js",
    "labels.js",
    "boxes.js",
    "elements.js",
    "words.js",
    "stage.js",
    "list.js",
    "print.js",
    "browser.js",
)
# Later rules win over earlier ones.
_STYLES = ("frame.css", "controls.css", "stage.css", "notes.css", "list.css", "phone.css", "print.css")


def read_explorer_script() -> str:
    """One classic script; it waits for nothing and must stand after the markup of ``explorer.html``."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)


def read_explorer_style() -> str:
    """The style sheet; it takes its colours from the page's custom properties where there are any."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _STYLES)
