"""From metres on the ground to pixels of a picture that looks straight down."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .outlines import F64
from .sketch import Pose


@dataclass(frozen=True, slots=True)
class View:
    """A camera above the ground.

    Attributes:
        hw: The picture's height and width in pixels.
        ppm: Pixels a metre.
        turn: The ground's x axis in the picture, in radians.
        x, y: The ground's point in metres that falls on the picture's centre.
    """

    hw: tuple[int, int]
    ppm: float
    turn: float
    x: float = 0.0
    y: float = 0.0

    def pose(self, x: float, y: float, heading: float = 0.0) -> Pose:
        """Where an object at (x, y) metres with a heading lies in the picture."""
        c, s = math.cos(self.turn) * self.ppm, math.sin(self.turn) * self.ppm
        dx, dy = x - self.x, y - self.y
        return Pose(self.hw[1] / 2 + dx * c - dy * s, self.hw[0] / 2 + dx * s + dy * c, self.turn + heading, self.ppm)

    def to_px(self, outline: F64) -> F64:
        """Points of the ground in metres as pixels."""
        return self.pose(0.0, 0.0).to_px(outline)

    @property
    def reach_m(self) -> float:
        """How far from the centre the picture's corners lie."""
        return math.hypot(*self.hw) / 2 / self.ppm
