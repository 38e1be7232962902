"""Which details of the picture raise the score, to first order."""

from __future__ import annotations

import numpy as np

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.attention.project import blur, project_grid
from detectattn.types import F32

# Of the long side: a reference in which objects are gone, and a map without the grain that gradients by pixels have.
_REFERENCE_SPREAD = 1 / 20
_MAP_SPREAD = 1 / 80


def map_input_gradient(evidence: Evidence, detection: int, choice: Choice) -> F32:
    """``ReLU(sum over channels c of dy/dx[c] · (x[c] - x'[c]))``, smoothed.

    Here y is the detection's class logit, x the network's input and x' the same blurred: the first-order estimate of
    what is lost when a pixel is replaced by its blurred surroundings. Gradient × difference from a reference is the
    one-step form of Integrated Gradients (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365, section 3); with
    black for the reference, gradient × input, dark objects could not show. See
    :class:`~detectattn.attention.maps.base.MapBuilder`.
    """
    assert evidence.gradients is not None
    assert evidence.gradients.pixels is not None
    pixels = evidence.gradients.pixels
    spread = max(pixels.activation.shape[1:]) * _REFERENCE_SPREAD
    detail = pixels.activation - np.stack([blur(plane, (spread, spread)) for plane in pixels.activation])
    raised = np.maximum((pixels.gradient[detection] * detail).sum(axis=0), 0)
    sigma = max(evidence.frame.size_hw) * _MAP_SPREAD
    return blur(project_grid(raised, evidence.frame), (sigma, sigma))
