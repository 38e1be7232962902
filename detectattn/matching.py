"""Which detection of one list is which of another: one-to-one matching by overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectattn.boxes import compute_iou
from detectattn.types import F32, I32, Detections


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Two lists of detections in one picture, set against each other.

    Attributes:
        pairs: i32[K, 2], rows of ``a`` and of ``b`` that are one object, ordered by the row of ``a``.
        iou: f32[K], how much each pair overlaps.
        only_a: i32[A], rows of ``a`` without a partner, ascending.
        only_b: i32[B], rows of ``b`` without a partner, ascending.
    """

    pairs: I32
    iou: F32
    only_a: I32
    only_b: I32


def match_boxes(a: Detections, b: Detections, iou_threshold: float = 0.5, same_class: bool = True) -> Matches:
    """Pair the detections of ``a`` and ``b`` that overlap most, each at most once.

    Greedy: of all pairs with an IoU of at least the threshold, the one with the largest comes first, then the largest
    of those that are left. Scores play no part, so neither list is favoured. Pairs with equal IoU are taken by row of
    ``a`` and then of ``b``, so the outcome is always the same.

    Args:
        a: Detections in one picture.
        b: Detections in the same picture, in the same pixels, with the same class indices.
        iou_threshold: Least overlap, 0 (exclusive: boxes must touch) to 1.
        same_class: Whether only detections of one class may pair.
    """
    iou = compute_iou(a.xyxy, b.xyxy)
    eligible = (iou >= np.float32(iou_threshold)) & (iou > 0)
    if same_class:
        eligible &= a.class_id[:, None] == b.class_id
    pairs = _take_greedily(iou, np.argwhere(eligible))
    rows_a, rows_b = pairs[:, 0], pairs[:, 1]
    return Matches(
        pairs=pairs,
        iou=iou[rows_a, rows_b],
        only_a=np.setdiff1d(np.arange(len(a), dtype=np.int32), rows_a),
        only_b=np.setdiff1d(np.arange(len(b), dtype=np.int32), rows_b),
    )


def _take_greedily(iou: F32, candidates: np.ndarray[tuple[int, int], np.dtype[np.intp]]) -> I32:
    """Rows i32[K, 2] chosen from ``candidates`` intp[P, 2] (in row-major order), by the row of the first list."""
    order = np.argsort(-iou[candidates[:, 0], candidates[:, 1]], kind="stable")
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for row_a, row_b in candidates[order].tolist():
        if row_a not in partner and row_b not in taken:
            partner[row_a] = row_b
            taken.add(row_b)
    return np.array(sorted(partner.items()), np.int32).reshape(-1, 2)
