"""One straight street: how wide its parts are, and how its surface is painted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .ground import Ground
from .layout import Layout
from .outlines import F64, rounded, stroke, turned

LANE_M = 3.3


@dataclass(frozen=True, slots=True)
class Profile:
    """A street across: lanes each way, and the widths of what lies beside them, in metres."""

    lanes: int
    parking: float
    cycleway: float
    median: float
    pavement: float

    @property
    def half(self) -> float:
        """From the middle to the kerb."""
        return self.median / 2 + self.lanes * LANE_M + self.cycleway + self.parking

    @property
    def outer(self) -> float:
        """From the middle to the pavement's far side."""
        return self.half + self.pavement


def choose_profile(rng: np.random.Generator, *, wide: bool) -> Profile:
    """A random street."""
    lanes = 2 if wide and rng.random() < 0.45 else 1
    return Profile(
        lanes=lanes,
        parking=2.3 if rng.random() < 0.45 else 0.0,
        cycleway=1.7 if rng.random() < 0.4 else 0.0,
        median=float(rng.uniform(1.6, 3.0)) if lanes == 2 and rng.random() < 0.5 else 0.0,
        pavement=float(rng.uniform(3.0, 5.0)),
    )


class Street:
    """One straight street of a layout, in coordinates of its own: s along it, t across, to the right of s."""

    def __init__(
        self, layout: Layout, ground: Ground, profile: Profile, rng: np.random.Generator, turn: float, gap: float
    ) -> None:
        self.layout, self.ground, self.profile, self.rng, self.turn = layout, ground, profile, rng, turn
        self.gap = gap  # half of the junction's length along this street, 0 for none
        self.long = layout.extent
        self.crossings: list[float] = []

    def world(self, outline: F64) -> F64:
        """An outline of this street as one of the ground."""
        return turned(outline, self.turn)

    def strip(self, half: float) -> F64:
        """All of the street out to ``half`` metres on both sides, in the ground's coordinates."""
        return self.world(rounded(0, 0, 2 * self.long, 2 * half))

    def point(self, s: float, t: float) -> tuple[float, float]:
        """A place of this street in the ground's coordinates."""
        c, k = math.cos(self.turn), math.sin(self.turn)
        return s * c - t * k, s * k + t * c

    def heading(self, side: int) -> float:
        """Where traffic on a side goes; one drives on the right."""
        return self.turn + (0.0 if side > 0 else math.pi)

    def draw_marks(self, *, crossing: bool) -> None:
        """Paint lines, arrows, crossings and stop lines."""
        p, g = self.profile, self.ground
        self.draw_wheel_tracks()
        if self.gap and crossing and self.rng.random() < 0.7:
            self.draw_arrows()
        start = self.gap + (5.2 if self.gap and crossing else 1.2 if self.gap else 0.0)
        for way in (-1, 1) if self.gap else (1,):
            a, b = (way * start, way * self.long) if self.gap else (-self.long, self.long)
            self.draw_lines(a, b)
        if self.gap and crossing:
            for way in (-1, 1):
                self.draw_crossing(way * (self.gap + 2.2))
                t0, t1 = (p.median / 2, p.half - p.parking)
                s = way * (self.gap + 4.9)
                side = 1 if way < 0 else -1
                g.mark(self.world(stroke((s, side * t0), (s, side * t1), 0.4)))
        elif not self.gap and crossing:
            self.draw_crossing(float(self.rng.uniform(-6, 6)))

    def draw_lines(self, a: float, b: float) -> None:
        """Paint the lines that part the lanes, from ``a`` to ``b``."""
        p, g = self.profile, self.ground

        def line(t: float, width: float, dash: float, gap: float, *, yellow: bool = False) -> None:
            g.dashes(self.point(a, t), self.point(b, t), width, dash, gap, yellow=yellow)

        if p.median:
            for side in (-1, 1):
                line(side * (p.median / 2 + 0.18), 0.14, 0, 0)
        elif p.lanes == 2:
            line(-0.13, 0.12, 0, 0, yellow=True)
            line(0.13, 0.12, 0, 0, yellow=True)
        else:
            line(0, 0.14, 3.0, 3.0)
        for side in (-1, 1):
            for lane in range(1, p.lanes):
                line(side * (p.median / 2 + lane * LANE_M), 0.14, 2.0, 4.0)
            edge = p.median / 2 + p.lanes * LANE_M
            if p.cycleway:
                line(side * edge, 0.16, 0, 0)
            if p.parking:
                t = side * (edge + p.cycleway)
                line(t, 0.1, 0.5, 0.5)

    def draw_wheel_tracks(self) -> None:
        """Two darker bands in each lane, and oil between them."""
        p, a = self.profile, self.long
        for side in (-1, 1):
            for lane in range(p.lanes):
                t = side * (p.median / 2 + (lane + 0.5) * LANE_M)
                level = int(self.rng.integers(80, 200))
                for rut in (-0.8, 0.8):
                    self.ground.wear(self.world(stroke((-a, t + rut), (a, t + rut), 0.5)), level)
                self.ground.wear(self.world(stroke((-a, t), (a, t), 0.22)), level // 2)

    def draw_arrows(self) -> None:
        """Arrows on the lanes that lead to a junction."""
        p = self.profile
        for side in (-1, 1):
            for lane in range(p.lanes):
                t = side * (p.median / 2 + (lane + 0.5) * LANE_M)
                for back in (4.5, 16.0):
                    self._draw_arrow(-side * (self.gap + 5.0 + back), t, side, bend=int(self.rng.integers(-1, 2)))

    def _draw_arrow(self, s: float, t: float, way: int, *, bend: int) -> None:
        shaft = [rounded(-0.4, 0, 2.2, 0.2)]
        head = np.array([(0.4, -0.42), (1.5, 0.0), (0.4, 0.42)])
        if bend:
            shaft.append(rounded(0.6, bend * 0.3, 0.26, 0.8))
            head = np.array([(0.1, bend * 0.6), (0.6, bend * 1.35), (1.1, bend * 0.6)])
        for outline in (*shaft, head):
            flipped = turned(outline, 0.0 if way > 0 else math.pi)
            self.ground.mark(self.world(flipped + np.array((s, t))))

    def draw_crossing(self, s: float) -> None:
        """Paint a zebra crossing at ``s``."""
        p = self.profile
        self.crossings.append(s)
        for t in np.arange(-p.half + 0.5, p.half - 0.2, 1.0):
            self.ground.mark(self.world(rounded(s, t, 3.2, 0.52)))
