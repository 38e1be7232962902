"""What a plot is, whatever it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Section = Literal[
    "frontier", "speed", "memory", "accuracy", "errors", "calibration", "agreement", "changes", "attention"
]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot as Vega-Lite, without a theme: the page and :func:`detectattn.report.plots.render_png` add theirs.

    Attributes:
        name: File stem and identifier on the page: ``latency``.
        section: Where on the page it stands.
        title: The question that it answers.
        caption: One line: what is drawn, and how to read it.
        alt: What it says, in words and numbers, for a person who cannot see it.
        spec: Vega-Lite 5 or 6; the width is ``container``; no colour of text, grid or ground.
    """

    name: str
    section: Section
    title: str
    caption: str
    alt: str
    spec: Mapping[str, Any]
