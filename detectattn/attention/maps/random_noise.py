"""A baseline that knows nothing: smooth noise."""

from __future__ import annotations

import numpy as np

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.attention.project import blur
from detectattn.types import F32

# Blobs of the size of attention's: about one cell at stride 32 of a 640 px input.
_SPREAD_OF_LONG_SIDE = 1 / 20


def map_random(evidence: Evidence, detection: int, choice: Choice) -> F32:
    """Seeded noise, smoothed to blobs of a twentieth of the picture's long side; another one for each detection.

    See :class:`~detectattn.attention.maps.base.MapBuilder`.
    """
    size_hw = evidence.frame.size_hw
    noise = np.random.default_rng((choice.seed, detection)).standard_normal(size_hw, np.float32)
    sigma = max(size_hw) * _SPREAD_OF_LONG_SIDE / 2
    smooth = blur(noise, (sigma, sigma))
    values: F32 = smooth - smooth.min()
    return values
