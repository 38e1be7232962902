"""How figures of maps are written, and what is to be said of them."""

from __future__ import annotations

from math import isfinite

from detectattn.figures import format_interval
from detectattn.report.cells import MISSING, share, signed_share
from detectattn.results.explanation import MeanFigure, Worth

SIGNS: dict[Worth, str] = {
    "says more than the box": "✓",
    "no more than the box": "=",
    "no better than random": "✕",
    "not decided": "?",
    "baseline": "",
}
"""Beside what a map is worth, so that it is not told by colour alone."""

MEASURES: tuple[tuple[str, str, str], ...] = (
    (
        "Faithfulness",
        "The picture is shown bit by bit, what the map has brightest first (insertion), and hidden in the same order "
        "(deletion). What remains of the detection's score is averaged over each, and the second mean taken from the "
        "first. Above 0, the map puts first what the detection needs.",
        "Hidden pixels are blurred ones, which no training picture holds: a detector may stumble over the blur itself. "
        "That is why every map is set beside a random one and beside a blob on the box, which meet the same blur.",
    ),
    (
        "Over random, over the box",
        "Faithfulness less that of smooth noise, and less that of a blob on the box, of the same detections. A map "
        "says more than the box only where both differences are above 0 with their whole intervals.",
        "Boxes hold most of what a detector needs. A map that equals the blob may be true and still tell nothing new.",
    ),
    (
        "Inside the box",
        "Share of the map's mass inside the detection's box (energy).",
        "High is not better: a detector may rightly use what lies around an object. A blob on the box has nearly 1.",
    ),
    (
        "Pointing game",
        "Share of the maps whose brightest pixel lies inside the box.",
        "One pixel decides. In a box that fills the picture, any map passes.",
    ),
    (
        "Reach",
        "Share of the map's mass by distance from the box, in widths and heights of the box, beside the picture's area "
        "at that distance: what a map without preference would have.",
        "It is measured in sizes of the box: the same distance in pixels is far for a small object.",
    ),
)
"""Of each measure: its name, what it is, and what it hides."""


def worth_text(worth: Worth) -> str:
    """What a map is worth, with its sign: ``✓ says more than the box``."""
    return f"{SIGNS.get(worth, '')} {worth}".strip()


def mean_text(mean: MeanFigure | None) -> str:
    """A mean with its interval: ``0.210 (0.150–0.270)``."""
    return MISSING if mean is None else f"{share(mean.value)}{_interval(mean)}"


def gain_text(mean: MeanFigure | None) -> str:
    """A difference with its sign and interval: ``+0.210 (0.150–0.270)``."""
    return MISSING if mean is None else f"{signed_share(mean.value)}{_interval(mean)}"


def _interval(mean: MeanFigure) -> str:
    return f" ({format_interval(mean.low, mean.high)})" if isfinite(mean.low) else ""


def percent(value: float) -> str:
    """A share of 1 as percent: ``38%``."""
    return f"{100 * value:.0f}%" if isfinite(value) else MISSING
