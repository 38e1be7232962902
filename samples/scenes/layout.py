"""What stands where in a scene, before anything is drawn: in metres, the main street along x."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from .outlines import F64, rounded, turned
from .sketch import Sketch
from .trees import Tree
from .view import View

PERSON, BICYCLE, CAR, BUS, TRUCK, TRAFFIC_LIGHT = range(6)
SCENERY = -1

_CELL_M = 0.2


@dataclass(frozen=True, slots=True)
class Item:
    """One thing: its class (or ``SCENERY``), its sketch, where it stands and where it heads."""

    class_id: int
    sketch: Sketch
    x: float
    y: float
    heading: float = 0.0
    base: float = 0.0


@dataclass(slots=True)
class Layout:
    """All things of a scene, by how high they stand.

    Attributes:
        view: The camera.
        extent: Half the side of the square that is planned, in metres.
        low: What stands on the ground, drawn in this order.
        roofs: Buildings.
        trees: Crowns.
        decks: Bridges, and the traffic on them.
        wires: Lines in metres, with their height.
        high: What hangs over the street: arms of lamps and traffic lights, drawn last.
        taken: Which cells of the ground are occupied.
    """

    view: View
    extent: float
    low: list[Item] = field(default_factory=list)
    roofs: list[Item] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)
    decks: list[Item] = field(default_factory=list)
    wires: list[tuple[F64, float]] = field(default_factory=list)
    high: list[Item] = field(default_factory=list)
    taken: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        side = math.ceil(2 * self.extent / _CELL_M)
        self.taken = np.zeros((side, side), np.uint8)

    def near(self, x: float, y: float, margin: float) -> bool:
        """Whether a place lies in the picture or less than ``margin`` metres beyond its edges."""
        pose, (height, width), room = self.view.pose(x, y), self.view.hw, margin * self.view.ppm
        return -room < pose.x < width + room and -room < pose.y < height + room

    def claim(self, outline: F64) -> bool:
        """Occupy an area if all of it is free."""
        fixed = np.rint((outline + self.extent) / _CELL_M).astype(np.int32)
        x0, y0 = np.maximum(fixed.min(axis=0), 0)
        x1, y1 = fixed.max(axis=0) + 1
        if x1 <= 0 or y1 <= 0 or x0 >= self.taken.shape[1] or y0 >= self.taken.shape[0]:
            return True
        mask = np.zeros((min(y1, self.taken.shape[0]) - y0, min(x1, self.taken.shape[1]) - x0), np.uint8)
        cv2.fillPoly(mask, [fixed - (x0, y0)], 1)
        spot = self.taken[y0:y1, x0:x1]
        if (spot & mask).any():
            return False
        spot |= mask
        return True

    def add(self, class_id: int, sketch: Sketch, x: float, y: float, heading: float, margin: float = 0.15) -> bool:
        """Put something on the ground where it is free; whether it was."""
        points = np.concatenate(sketch.bodies)
        low, high = points.min(axis=0), points.max(axis=0)
        (cx, cy), (length, width) = (low + high) / 2, high - low + 2 * margin
        if not self.claim(turned(rounded(cx, cy, length, width), heading, x, y)):
            return False
        self.low.append(Item(class_id, sketch, x, y, heading))
        return True
