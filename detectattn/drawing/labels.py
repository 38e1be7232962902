"""Where labels go: never over one another, never off the picture, and off the small things where that can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.types import I32

# Costs are in "fractions of an object covered": putting a label above a box is worth uncovering a tenth of another one.
_COST_ABOVE, _COST_BOTTOM, _COST_BELOW, _COST_SIDE = 0.10, 0.30, 0.35, 0.45
_COST_SHIFTED, _COST_RIGHT = 0.06, 0.04
# A label inside its box may hide this much of its height for nothing; beyond that the box is too small for it.
_ROOM = 0.25
_COST_NO_ROOM = 2.0
# A label that would hide more than this of other objects yields to a more compact one; the most compact label of all
# may hide as much as one object, for it names one.
_LIMIT, _LAST_LIMIT = 0.5, 1.0
# How far along its edge a label is shifted, and what that costs.
_SHIFTS = ((0.0, 0.0), (0.25, _COST_SHIFTED), (0.5, _COST_SHIFTED), (0.75, _COST_SHIFTED), (1.0, _COST_RIGHT))


@dataclass(frozen=True, slots=True)
class PlacedLabel:
    """A label with its place.

    Attributes:
        row: Which box it belongs to.
        tier: Which of the sizes that were offered it has: 0 is the full label, later ones are more compact.
        xyxy: Left, top, right, bottom in pixels of the picture, right and bottom exclusive.
    """

    row: int
    tier: int
    xyxy: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class LabelLayout:
    """The labels that found a place and the boxes that stay without.

    Attributes:
        labels: In the order of the boxes.
        omitted: Rows of the boxes for whose label no place was free.
    """

    labels: tuple[PlacedLabel, ...]
    omitted: tuple[int, ...]


def place_labels(boxes: I32, tiers_wh: Sequence[I32], picture_hw: tuple[int, int], seam_px: int = 0) -> LabelLayout:
    """Find a place for each box's label, in the order of the boxes: the surest first.

    Every label touches its box: inside the top edge if there is room, else above, inside the bottom edge, below, or
    beside, shifted along the edge as needed. Among the free places the one is taken that hides the least of other
    objects. A box for which none is free at full size gets the next, more compact size; one for which none fits gets
    no label and is named in ``omitted``.

    Args:
        boxes: i32[N, 4], left, top, right, bottom (exclusive) within the picture, in pixels.
        tiers_wh: Sizes to try in turn, each i32[N, 2]: width and height of every box's label.
        picture_hw: Height and width of the picture.
        seam_px: How far a label outside its box overlaps the box's edge, so that the two join.

    Returns:
        Labels that lie within the picture and do not overlap.
    """
    taken = np.zeros((len(boxes), 4), np.int32)
    labels: list[PlacedLabel] = []
    omitted: list[int] = []
    for row in range(len(boxes)):
        for tier, sizes in enumerate(tiers_wh):
            limit = _LAST_LIMIT if tier == len(tiers_wh) - 1 else _LIMIT
            spot = _find_spot(row, boxes, sizes[row], picture_hw, seam_px, taken[: len(labels)], limit)
            if spot is not None:
                taken[len(labels)] = spot
                labels.append(PlacedLabel(row, tier, spot))
                break
        else:
            omitted.append(row)
    return LabelLayout(tuple(labels), tuple(omitted))


def _find_spot(
    row: int, boxes: I32, size_wh: I32, picture_hw: tuple[int, int], seam_px: int, taken: I32, limit: float
) -> tuple[int, int, int, int] | None:
    height, width = picture_hw
    if size_wh[0] > width or size_wh[1] > height or min(size_wh) <= 0:
        return None
    spots, cost = _list_candidates(boxes[row], size_wh, width, seam_px)
    free = (spots[:, 0] >= 0) & (spots[:, 1] >= 0) & (spots[:, 2] <= width) & (spots[:, 3] <= height)
    reach = np.concatenate([spots[:, :2].min(axis=0), spots[:, 2:].max(axis=0)])
    rivals = taken[_touches(taken, reach)]
    if len(rivals):
        free &= ~(_overlap_px(spots, rivals) > 0).any(axis=1)
    others = _touches(boxes, reach)
    others[row] = False
    cost = np.where(free, cost + _hidden_objects(spots, boxes[others]), np.inf)
    best = int(cost.argmin())
    if cost[best] > limit:
        return None
    left, top, right, bottom = spots[best].tolist()
    return left, top, right, bottom


def _list_candidates(box: I32, size_wh: I32, width: int, seam_px: int) -> tuple[I32, NDArray[np.float64]]:
    """Places i32[K, 4] that touch the box, and how much each is disliked f64[K]."""
    x0, y0, x1, y1 = box.tolist()
    w, h = size_wh.tolist()
    box_h = max(1, y1 - y0)
    along = [(min(max(round(x0 + (x1 - w - x0) * shift), 0), width - w), cost) for shift, cost in _SHIFTS]
    fits = x1 - x0 >= w and box_h >= h
    no_room = _COST_NO_ROOM * max(0.0, h / box_h - _ROOM) if fits else _COST_NO_ROOM
    rows = (
        (y0, no_room),
        (y0 + seam_px - h, _COST_ABOVE),
        (y1 - h, _COST_BOTTOM + no_room),
        (y1 - seam_px, _COST_BELOW),
    )
    sides = [
        (x, y, _COST_SIDE)
        for x in (x1 - seam_px, x0 + seam_px - w)
        for y in (y0, max(0, (y0 + y1 - h) // 2), max(0, y1 - h))
    ]
    # Plain numbers: of two dozen places, arrays would cost more than they save.
    spots = [(x, y, row_cost + cost) for y, row_cost in rows for x, cost in along] + sides
    return np.array([(x, y, x + w, y + h) for x, y, _ in spots], np.int32), np.array([cost for _, _, cost in spots])


def _touches(boxes: I32, reach: I32) -> NDArray[np.bool_]:
    """Which boxes [M, 4] have pixels in common with ``reach`` [4]."""
    return np.asarray(((boxes[:, :2] < reach[2:]) & (boxes[:, 2:] > reach[:2])).all(axis=1))


def _hidden_objects(spots: I32, others: I32) -> NDArray[np.float64]:
    """How much of other objects each spot hides, in fractions of an object, summed: f64[K]."""
    sides = (others[:, 2:] - others[:, :2]).astype(np.int64)
    hidden = _overlap_px(spots, others) / np.maximum(1, sides[:, 0] * sides[:, 1])
    return np.asarray(hidden.sum(axis=1), np.float64)


def _overlap_px(one: I32, other: I32) -> NDArray[np.int64]:
    """Pixels that every box of one set [K, 4] shares with every box of another [M, 4]: i64[K, M]."""
    corner = np.minimum(one[:, None, 2:], other[None, :, 2:]) - np.maximum(one[:, None, :2], other[None, :, :2])
    sides = np.maximum(corner, 0).astype(np.int64)
    return np.asarray(sides[..., 0] * sides[..., 1])
