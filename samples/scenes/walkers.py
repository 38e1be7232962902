"""People on foot, and bicycles that stand."""

from __future__ import annotations

import math

import numpy as np

from .furniture import sketch_bench, sketch_flower_bed, sketch_hedge, sketch_parasol
from .layout import BICYCLE, PERSON, SCENERY
from .people import sketch_bicycle, sketch_person
from .street import Street


def place_walkers(streets: list[Street], rng: np.random.Generator, *, crossing: bool) -> None:
    """People on pavements, alone and in groups, and on crossings; bicycles at stands."""
    for street in streets:
        for side in (-1, 1):
            _place_on_pavement(street, side, rng)
            if rng.random() < 0.6:
                _place_stand(street, side, rng)
        if crossing:
            for s in street.crossings:
                _place_on_crossing(street, s, rng)


def _place_on_pavement(street: Street, side: int, rng: np.random.Generator) -> None:
    p, layout = street.profile, street.layout
    spacing = rng.uniform(0.13, 0.42) * min(layout.view.hw) / layout.view.ppm
    for s in np.arange(-street.long, street.long, spacing):
        s += rng.uniform(0, spacing)
        t = side * rng.uniform(p.half + 0.6, p.outer - 0.4)
        if not layout.near(*street.point(s, t), 1.5):
            continue
        way = street.heading(int(rng.choice((-1, 1)))) + rng.uniform(-0.4, 0.4)
        for k in range(1 + (rng.random() < 0.3) + (rng.random() < 0.1)):
            x, y = street.point(s + rng.uniform(-0.2, 0.2), t + 0.95 * k)
            layout.add(PERSON, sketch_person(rng), x, y, way + rng.uniform(-0.2, 0.2), 0.05)


def _place_stand(street: Street, side: int, rng: np.random.Generator) -> None:
    p, layout = street.profile, street.layout
    s = rng.uniform(-0.45, 0.45) * street.long
    lean = street.turn + math.pi / 2 + rng.uniform(-0.35, 0.35)
    for k in range(int(rng.integers(1, 6))):
        x, y = street.point(s + 0.85 * k, side * (p.outer - 1.0))
        if layout.near(x, y, 0.5) and abs(s + 0.85 * k) > street.gap + 3:
            bike = sketch_bicycle(rng, street.ground.view.ppm, leaning=True)
            layout.add(BICYCLE, bike, x, y, lean + rng.uniform(-0.06, 0.06), 0.0)


def place_furniture(street: Street, rng: np.random.Generator) -> None:
    """Benches, flower beds, hedges and parasols beside the way."""
    p, layout = street.profile, street.layout
    for side in (-1, 1):
        kind = (sketch_bench, sketch_flower_bed, sketch_parasol, sketch_bench)[int(rng.integers(4))]
        spacing = rng.uniform(5, 14)
        for s in np.arange(-street.long, street.long, spacing):
            x, y = street.point(s, side * (p.outer - 0.9))
            if abs(s) > street.gap + 4 and layout.near(x, y, 2) and rng.random() < 0.6:
                layout.add(SCENERY, kind(rng), x, y, street.turn, 0.1)
        if rng.random() < 0.5:
            for s in np.arange(-street.long, street.long, 5.2):
                x, y = street.point(s, side * (p.outer + 0.7))
                if abs(s) > street.gap + 9 and layout.near(x, y, 3):
                    layout.add(SCENERY, sketch_hedge(5.0, rng), x, y, street.turn, 0.0)


def _place_on_crossing(street: Street, s: float, rng: np.random.Generator) -> None:
    p, layout = street.profile, street.layout
    for _ in range(int(rng.integers(1, 6))):
        x, y = street.point(s + rng.uniform(-1.2, 1.2), rng.uniform(-p.half, p.half))
        if layout.near(x, y, 1.0):
            across = street.turn + float(rng.choice((-1, 1))) * math.pi / 2
            layout.add(PERSON, sketch_person(rng), x, y, across + rng.uniform(-0.2, 0.2), 0.1)
