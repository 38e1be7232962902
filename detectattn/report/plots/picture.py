"""A plot as a picture for slides."""

from __future__ import annotations

from typing import Any

from detectattn.report.plots.base import Plot
from detectattn.report.plots.theme import find_tones, theme_config

# Plots are laid out at this width, whatever the picture's, so that text keeps its proportion.
_LAYOUT_PX = 800
_MARGIN_PX = 24
# In vl-convert itself, so that a picture is the same on every machine; others only for what it lacks.
_FONT = '"Liberation Sans", sans-serif'
_TITLE_CHARACTERS = 80
_CAPTION_CHARACTERS = 120


def render_png(plot: Plot, *, dark: bool = False, width_px: int = 1200, scale: float = 2) -> bytes:
    """A plot with its title and caption on a ground of its own.

    Args:
        plot: What to draw; where it lets one choose, the first choice.
        dark: Whether the ground is dark.
        width_px: Width of the picture in pixels before ``scale``; its height follows from the plot.
        scale: Pixels of the file to each of these.

    Returns:
        A PNG file ``width_px * scale`` pixels wide.
    """
    import vl_convert  # tens of megabytes of code that only a report needs

    config = theme_config(dark=dark, font=_FONT)
    config["background"] = find_tones(dark=dark).ground
    config["padding"] = _MARGIN_PX
    enlarged = scale * width_px / _LAYOUT_PX
    return bytes(vl_convert.vegalite_to_png(_titled(plot), config=config, scale=enlarged))


def _titled(plot: Plot) -> dict[str, Any]:
    title = {
        "text": wrap(plot.title, _TITLE_CHARACTERS),
        "subtitle": wrap(plot.caption, _CAPTION_CHARACTERS),
    }
    return {**plot.spec, "width": _LAYOUT_PX, "title": title}


def wrap(text: str, most: int) -> list[str]:
    """Lines of at most ``most`` characters, cut between words; a longer word is cut."""
    import textwrap

    return textwrap.wrap(text, most) or [""]
