"""Several feature maps in one map of the picture."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detectattn.attention.project import MapFrame, project_grid
from detectattn.types import F32


def sum_levels(cells: Iterable[F32], frame: MapFrame) -> F32:
    """What lies in the cells of feature maps, f32[h, w] each, as density over the picture, all levels added up.

    A cell's amount is spread over its area, so that each level weighs what its cells hold, however coarse they are.
    """
    total = np.zeros(frame.size_hw, np.float32)
    for mass in cells:
        cell_x, cell_y = frame.cell_xy((mass.shape[0], mass.shape[1]))
        total += project_grid(mass, frame) / np.float32(cell_x * cell_y)
    return total
