"""The script and the style sheet of the browser of explained pictures, as text to stand in the page."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
_EXPLORER = _HERE.parent / "explorer"
# Each builds on those before it; the first is shared with the report's browser of pictures.
_SCRIPTS = ("unpack", "places", "views", "paint", "words", "cell", "column", "browser")
# Later rules win over earlier ones.
_STYLES = ("page", "browser", "cells", "phone", "print")


def read_explanation_script() -> str:
    """One classic script; it waits for nothing and must stand after the markup of ``explanation_browser.html``."""
    files = (_EXPLORER / "elements.js", *(_HERE / "script" / f"{name}.js" for name in _SCRIPTS))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def read_explanation_style() -> str:
    """The style sheet; it builds on the page's."""
    return "\n".join((_HERE / "style" / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)
