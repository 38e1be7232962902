"""The evidence in the feature maps that the head gets, by its gradient."""

from __future__ import annotations

import numpy as np

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.attention.maps.levels import sum_levels
from detectattn.types import F32


def map_layercam(evidence: Evidence, detection: int, choice: Choice) -> F32:
    """``sum over levels of ReLU(sum over channels k of ReLU(dy/dA[k]) · A[k])``, y being the detection's class logit.

    LayerCAM (Jiang et al. 2021, https://doi.org/10.1109/TIP.2021.3089943, equations 5 and 6) on the maps that go into
    the head. Unlike there, a level is not scaled to its own maximum: the gradients are of one and the same logit, so
    what a cell of one level adds is comparable with what a cell of another adds, and scaling would raise levels that
    hardly matter to the one that decides. A cell's evidence is spread over its area, so a coarse one glows less, not
    more.

    It ends at the head: a YOLO's classifier reads two cells to either side of its own, so its map can reach no further,
    however far the cells themselves have seen. To compare how far models look, take the input gradient. See
    :class:`~detectattn.attention.maps.base.MapBuilder`.
    """
    assert evidence.gradients is not None
    cells = []
    for level in evidence.gradients.head:
        weight = np.maximum(level.gradient[detection], 0)
        cells.append(np.maximum((weight * level.activation).sum(axis=0), 0))
    return sum_levels(cells, evidence.frame)
