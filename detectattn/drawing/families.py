"""One colour and one shape a family of models, the same in pictures, plots and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detectattn.drawing.palette import Rgb
from detectattn.types import Family

TRUTH_COLOR: Rgb = (0x56, 0xB4, 0xE9)
WRONG_COLOR: Rgb = (0xD5, 0x5E, 0x00)
FAMILY_COLORS: Mapping[Family, Rgb] = {
    "attention": (0x8E, 0x5B, 0xD0),
    "cnn": (0x00, 0x9E, 0x73),
    "hybrid": (0xE6, 0x9F, 0x00),
}
UNKNOWN_FAMILY_COLOR: Rgb = (0x9A, 0xA0, 0xA6)
# How far each further model of a family is from its colour towards white, or below 0 towards black.
_SHADES = (0.0, 0.45, -0.35)


def family_colors(families: Sequence[Family | None]) -> tuple[Rgb, ...]:
    """A colour for each of several models: its family's, another shade of it for every further one of the family."""
    seen: dict[Family | None, int] = {}
    colors = []
    for family in families:
        place = seen.get(family, 0)
        seen[family] = place + 1
        base = UNKNOWN_FAMILY_COLOR if family is None else FAMILY_COLORS[family]
        colors.append(_shade(base, _SHADES[place % len(_SHADES)]))
    return tuple(colors)


def to_hex(color: Rgb) -> str:
    """As style sheets write it: ``#8E5BD0``."""
    red, green, blue = color
    return f"#{red:02X}{green:02X}{blue:02X}"


def _shade(color: Rgb, share: float) -> Rgb:
    target = 255 if share > 0 else 0
    red, green, blue = (round(c + (target - c) * abs(share)) for c in color)
    return red, green, blue
