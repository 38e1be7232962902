"""What each place of the feature maps adds to the score, to first order."""

from __future__ import annotations

import numpy as np

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.attention.maps.levels import sum_levels
from detectattn.types import F32


def map_hirescam(evidence: Evidence, detection: int, choice: Choice) -> F32:
    """``sum over levels of ReLU(sum over channels k of dy/dA[k] · A[k])``, y being the detection's class logit.

    HiResCAM (Draelos & Carin 2020, https://arxiv.org/abs/2011.08891, section 3.3) on the maps that go into the head:
    channels that speak against the class are set off against those that speak for it at the same place. Levels are
    added up as in :func:`~detectattn.attention.maps.layercam.map_layercam`. See
    :class:`~detectattn.attention.maps.base.MapBuilder`.
    """
    assert evidence.gradients is not None
    cells = [
        np.maximum((level.gradient[detection] * level.activation).sum(axis=0), 0) for level in evidence.gradients.head
    ]
    return sum_levels(cells, evidence.frame)
