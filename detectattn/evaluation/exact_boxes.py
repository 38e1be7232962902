"""Boxes in double precision as files write them, so that figures equal those of a tool that reads the files.

Detections and ground truth are held in single precision, in which 100.1 is 100.0999985. Where boxes have few decimals
an overlap can meet a threshold exactly, and that last digit decides. A number in single precision that is the nearest
to a short decimal is taken for that decimal.
"""

from __future__ import annotations

import numpy as np

from detectattn.evaluation.truth import F64
from detectattn.types import F32

_MAX_DECIMALS = 4
_SIDE_DECIMALS = 6


def to_exact_ltwh(xyxy: F32) -> F64:
    """Left, top, width, height f64[N, 4] of corners f32[N, 4], as COCO's files hold them, in the same pixels."""
    corners = _to_short_decimals(xyxy)
    sides = np.round(corners[:, 2:] - corners[:, :2], _SIDE_DECIMALS)
    return np.concatenate([corners[:, :2], sides], axis=1)


def _to_short_decimals(values: F32) -> F64:
    """The decimal with the fewest digits, up to four after the point, that is each number in single precision."""
    exact = values.astype(np.float64)
    for decimals in range(_MAX_DECIMALS, -1, -1):
        rounded = np.round(values.astype(np.float64), decimals)
        exact = np.where(rounded.astype(np.float32) == values, rounded, exact)
    return exact
