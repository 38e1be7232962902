"""Colours, sizes and fonts of all plots, on a light and on a dark ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Eleven stops of Matplotlib's viridis: equal steps of figures are equal steps to the eye, in greyscale too.
_VIRIDIS = (
    "#440154", "#482475", "#414487", "#355F8D", "#2A788E", "#21918C", "#22A884", "#44BF70", "#7AD151", "#BDDF26",
    "#FDE725",
)  # fmt: skip
# The same from its other end, its first stops paler: what is little lies near to the ground there too.
_VIRIDIS_ON_LIGHT = (
    "#FFFACF", "#E1F19D", "#A6E08A", "#60C985", "#2DAC8A", "#21918C", "#2A788E", "#355F8D", "#414487", "#482475",
    "#440154",
)  # fmt: skip
PAGE_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


@dataclass(frozen=True, slots=True)
class Tones:
    """Colours that depend on the ground.

    Attributes:
        ground: Behind plots.
        ink: Text that is to be read first.
        quiet: Other text; at least 4.5:1 on the ground.
        line: Axes, and lines at zero.
        grid: Grid lines.
        doubt: What should not be trusted.
    """

    ground: str
    ink: str
    quiet: str
    line: str
    grid: str
    doubt: str


LIGHT = Tones(ground="#FFFFFF", ink="#1B1F24", quiet="#57606A", line="#8C959F", grid="#E8EBEE", doubt="#7A828B")
DARK = Tones(ground="#14171C", ink="#E9ECF0", quiet="#A4ADB8", line="#6B7580", grid="#2B3138", doubt="#8E97A1")


def find_tones(*, dark: bool) -> Tones:
    """Colours on a dark or light ground."""
    return DARK if dark else LIGHT


def theme_config(*, dark: bool, font: str = PAGE_FONT) -> dict[str, Any]:
    """Vega-Lite's ``config`` for plots on a page: its ground shows through, nothing loads a font.

    Args:
        dark: Whether the ground is dark.
        font: CSS font families.
    """
    tones = find_tones(dark=dark)
    return {
        "background": "transparent",
        "font": font,
        "padding": {"left": 2, "top": 4, "right": 10, "bottom": 4},
        "view": {"stroke": None},
        "axis": _axis(tones),
        "legend": _legend(tones),
        "title": _title(tones),
        # Figures are told in the alternative text; a label a mark would be noise to a screen reader.
        "aria": False,
        "mark": {"aria": False},
        "point": {"stroke": tones.ink, "strokeWidth": 0.8, "filled": True, "size": 70, "opacity": 1},
        "line": {"strokeWidth": 2},
        "style": _styles(tones),
        "range": {"heatmap": list(_VIRIDIS if dark else _VIRIDIS_ON_LIGHT)},
    }


def _axis(tones: Tones) -> Mapping[str, Any]:
    return {
        "labelColor": tones.quiet,
        "titleColor": tones.quiet,
        "gridColor": tones.grid,
        "domainColor": tones.line,
        "tickColor": tones.line,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelPadding": 5,
        "labelLimit": 160,
        "labelOverlap": True,
        "tickSize": 4,
    }


def _legend(tones: Tones) -> Mapping[str, Any]:
    return {
        "labelColor": tones.ink,
        "titleColor": tones.quiet,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 200,
        "symbolSize": 80,
        "rowPadding": 4,
        "columnPadding": 16,
        "offset": 10,
    }


def _title(tones: Tones) -> Mapping[str, Any]:
    return {
        "color": tones.ink,
        "subtitleColor": tones.quiet,
        "fontSize": 18,
        "subtitleFontSize": 12.5,
        "fontWeight": 600,
        "anchor": "start",
        "frame": "bounds",
        "offset": 14,
        "subtitlePadding": 6,
        "subtitleLineHeight": 17,
        "lineHeight": 23,
    }


def _styles(tones: Tones) -> Mapping[str, Any]:
    # `color` and not `fill` or `stroke`: Vega-Lite looks a mark's default up by that name.
    text = {"fontSize": 12, "baseline": "middle"}
    return {
        "head": {**text, "color": tones.ink, "fontSize": 13, "fontWeight": 600},
        "note": {**text, "color": tones.quiet},
        "value": {**text, "color": tones.ink},
        # Keeps text apart from lines under it.
        "halo": {**text, "color": tones.ground, "stroke": tones.ground, "strokeWidth": 5, "strokeJoin": "round"},
        "zero": {"color": tones.ink, "strokeWidth": 1.2},
        "span": {"color": tones.ink, "strokeWidth": 2.4},
        "best": {"color": tones.quiet, "strokeWidth": 1.6},
        "even": {"color": tones.line, "strokeWidth": 1.2, "strokeDash": [5, 4]},
        "doubt": {"color": tones.doubt},
        "band": {"color": tones.ink, "fillOpacity": 0.15},
        "open": {"color": tones.ground},
        # On the low and the high end of the scale of shares.
        "low": {**text, "color": tones.ink, "fontSize": 11},
        "high": {**text, "color": tones.ground, "fontSize": 11},
        "block": {"stroke": tones.ground, "strokeWidth": 1},
    }
