"""The dark ground that sheets and panels stand on, in strips as wide as the sheet."""

from __future__ import annotations

import numpy as np

from detectattn.drawing.palette import Rgb
from detectattn.types import U8

GROUND: Rgb = (0x1F, 0x23, 0x28)


def blank(height: int, width: int) -> U8:
    """An empty strip: u8[height, width, 3], BGR."""
    strip = np.empty((height, width, 3), np.uint8)
    strip[:] = GROUND[::-1]
    return strip


def paste(strip: U8, tile: U8, x: int) -> None:
    """Put a tile on a strip, centred in height; what does not fit is cut.

    Args:
        strip: u8[h, w, 3], drawn on.
        tile: u8[h, w, 3].
        x: Left edge of the tile, pixels of the strip.
    """
    height, width = min(len(strip), len(tile)), min(strip.shape[1] - x, tile.shape[1])
    top, skipped = (len(strip) - height) // 2, (len(tile) - height) // 2
    strip[top : top + height, x : x + width] = tile[skipped : skipped + height, :width]
