"""A baseline that knows the box and nothing else."""

from __future__ import annotations

import numpy as np

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.types import F32

SIGMA_OF_SIDE = 0.25
"""Standard deviation along each side: 91% of the blob lies inside the box."""


def map_box_blob(evidence: Evidence, detection: int, choice: Choice) -> F32:
    """``exp(-((x - cx) / w)² · 8 - ((y - cy) / h)² · 8)``: a Gaussian on the box whose sigma is a quarter of each side.

    What scores no better says nothing that the box does not. See :class:`~detectattn.attention.maps.base.MapBuilder`.
    """
    height, width = evidence.frame.size_hw
    image_h, image_w = evidence.resize.image_hw
    per_px = np.array([width / image_w, height / image_h] * 2)
    left, top, right, bottom = evidence.detections.xyxy[detection] * per_px
    blob: F32 = np.outer(_bell(height, top, bottom), _bell(width, left, right))
    return blob


def _bell(size: int, low: float, high: float) -> F32:
    """f32[size], of the pixels along one side of the map, for a box from ``low`` to ``high``."""
    # A box thinner than a pixel of the map would fall between the centres of two.
    sigma = max((high - low) * SIGMA_OF_SIDE, 0.5)
    distance = (np.arange(size) + 0.5 - (low + high) / 2) / sigma
    bell: F32 = np.exp(-(distance**2) / 2).astype(np.float32)
    return bell
