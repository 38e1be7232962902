"""What streets are made of: pavements, kerbs, asphalt, and the marks that years leave."""

from __future__ import annotations

import math

import numpy as np

from .ground import ASPHALT, CYCLEWAY, GRASS, KERB, PAVEMENT
from .outlines import F64, rounded
from .street import LANE_M, Street


def draw_surfaces(streets: list[Street]) -> None:
    """Pavements with their slabs, kerbs, asphalt, cycleways and medians, in this order."""
    ground, extent = streets[0].ground, streets[0].long
    for street in streets:
        ground.fill(street.strip(street.profile.outer), PAVEMENT)
    for street in streets:
        half, outer = street.profile.half, street.profile.outer
        for low, high in ((-outer, -half), (half, outer)):
            area = (-extent, low, extent, high) if street.turn == 0 else (low, -extent, high, extent)
            ground.joints(area, 0.75, PAVEMENT, brick=False)
    shapes = [street.strip(street.profile.half) for street in streets]
    if len(streets) == 2:
        shapes.extend(_corner_fillets(streets[1].profile.half, streets[0].profile.half, 3.0))
    for shape in shapes:
        ground.edge(shape, KERB, 0.5)
    for shape in shapes:
        ground.fill(shape, ASPHALT)
    for street in streets:
        for way in (-1, 1):
            _draw_cycleways(street, way)
            _draw_median(street, way)


def _draw_cycleways(street: Street, way: int) -> None:
    p, length = street.profile, street.long - street.gap
    middle, t = way * (street.gap + length / 2), p.half - p.parking - p.cycleway / 2
    for side in (-1, 1) if p.cycleway else ():
        street.ground.fill(street.world(rounded(middle, side * t, length, p.cycleway)), CYCLEWAY)


def _draw_median(street: Street, way: int) -> None:
    if not street.profile.median:
        return
    start = street.gap + (5.5 if street.gap else 0)
    length = street.long - start
    island = street.world(rounded(way * (start + length / 2 + 0.5), 0, length, street.profile.median, 0.8))
    street.ground.edge(island, KERB, 0.4)
    street.ground.fill(island, GRASS)


def _corner_fillets(half_x: float, half_y: float, radius: float) -> list[F64]:
    fillets = []
    for sx in (-1, 1):
        for sy in (-1, 1):
            cx, cy = half_x + radius, half_y + radius
            arc = [
                (cx - radius * math.cos(k * math.pi / 20), cy - radius * math.sin(k * math.pi / 20)) for k in range(11)
            ]
            points = [(half_x - 0.6, half_y - 0.6), (half_x - 0.6, cy), *arc, (cx, half_y - 0.6)]
            fillets.append(np.array([(sx * x, sy * y) for x, y in points]))
    return fillets


def draw_wear(streets: list[Street], rng: np.random.Generator) -> None:
    """Repairs, manholes and cracks."""
    ground = streets[0].ground
    for street in streets:
        half, long = street.profile.half, street.long
        for _ in range(int(rng.integers(1, 4))):
            s, t = rng.uniform(-long, long) * 0.6, rng.uniform(-half, half) * 0.8
            ground.patch(
                street.world(rounded(s, t, rng.uniform(1.5, 6), rng.uniform(0.8, 1.6))), int(rng.choice((-14, -10, 8)))
            )
        for _ in range(int(rng.integers(1, 4))):
            lane = street.profile.median / 2 + rng.uniform(0.6, LANE_M - 0.6)
            ground.manhole(*street.point(rng.uniform(-long, long) * 0.6, float(rng.choice((-1, 1))) * lane))
        for _ in range(int(rng.integers(1, 5))):
            steps = rng.uniform(-0.5, 0.5, (12, 2))
            steps[:, 0] += 0.5
            start = np.array((rng.uniform(-long, long) * 0.6, rng.uniform(-half, half) * 0.7))
            ground.crack(street.world(np.cumsum(steps, axis=0) + start))
