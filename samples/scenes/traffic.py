"""Vehicles on a street: queues before lights, flowing traffic, parked cars."""

from __future__ import annotations

import math

import numpy as np

from .cars import sketch_car
from .heavy import sketch_bus, sketch_truck
from .layout import BICYCLE, BUS, CAR, PERSON, TRUCK, Item, Layout
from .people import sketch_bicycle, sketch_person
from .sketch import Sketch
from .street import LANE_M, Street

_SHARES = (0.51, 0.26, 0.23)


def choose_vehicle(rng: np.random.Generator) -> tuple[int, Sketch]:
    """A car, a truck or a bus."""
    class_id = (CAR, TRUCK, BUS)[int(rng.choice(3, p=_SHARES))]
    return class_id, {CAR: sketch_car, TRUCK: sketch_truck, BUS: sketch_bus}[class_id](rng)


def compute_length(sketch: Sketch) -> float:
    """How long an object is, in metres."""
    x = np.concatenate(sketch.bodies)[:, 0]
    return float(x.max() - x.min())


def place_traffic(street: Street, rng: np.random.Generator) -> None:
    """Fill the lanes: dense or flowing, with a queue before a junction, and cyclists beside."""
    p = street.profile
    for side in (-1, 1):
        for lane in range(p.lanes):
            t = side * (p.median / 2 + (lane + 0.5) * LANE_M)
            dense = rng.random() < 0.6
            if street.gap:
                stop = street.gap + 5.3
                _fill_lane(street, side, t, -stop, -street.long, rng, dense=dense)
                _fill_lane(street, side, t, street.long, stop - 4.0, rng, dense=rng.random() < 0.4)
                if rng.random() < 0.4:
                    _enter_junction(street, side, t, rng)
            else:
                _fill_lane(street, side, t, street.long, -street.long, rng, dense=dense)
        if p.cycleway:
            _place_cyclists(street, side, rng)


def _fill_lane(
    street: Street, side: int, t: float, front: float, rear: float, rng: np.random.Generator, *, dense: bool
) -> None:
    """Vehicles from ``front`` back to ``rear``, in metres along the direction of travel."""
    at = front - rng.uniform(0.2, 1.6)
    while at > rear:
        if not street.layout.near(*street.point(side * (at - 3.0), t), 9.0):
            at -= 3.0
            continue
        class_id, sketch = choose_vehicle(rng)
        length = compute_length(sketch)
        x, y = street.point(side * (at - length / 2), t + rng.uniform(-0.25, 0.25))
        street.layout.add(class_id, sketch, x, y, street.heading(side) + rng.uniform(-0.03, 0.03), margin=0.2)
        at -= length + (rng.uniform(0.7, 3.0) if dense else rng.uniform(2.5, 14))


def _enter_junction(street: Street, side: int, t: float, rng: np.random.Generator) -> None:
    class_id, sketch = choose_vehicle(rng)
    bend = rng.uniform(-0.7, 0.7) if rng.random() < 0.5 else 0.0
    x, y = street.point(side * rng.uniform(-0.7, 0.7) * street.gap, t + rng.uniform(-0.4, 0.4))
    street.layout.add(class_id, sketch, x, y, street.heading(side) + bend, margin=0.3)


def place_parked(street: Street, rng: np.random.Generator) -> None:
    """Vehicles along the kerb, where the street has room for them."""
    p, layout = street.profile, street.layout
    if not p.parking:
        return
    for side in (-1, 1):
        t, s = side * (p.half - p.parking / 2), -street.long
        while s < street.long:
            if (
                not layout.near(*street.point(s + 2.4, t), 5.0)
                or (street.gap and abs(s + 2.5) < street.gap + 8.5)
                or rng.random() < 0.25
            ):
                s += 3.0
                continue
            sketch = sketch_car(rng)
            sketch.lamps.clear()
            length = compute_length(sketch)
            x, y = street.point(s + length / 2, t + rng.uniform(-0.12, 0.12))
            turn = rng.uniform(-0.03, 0.03) + (math.pi if rng.random() < 0.1 else 0.0)
            layout.add(CAR, sketch, x, y, street.heading(side) + turn, 0.05)
            s += length + rng.uniform(0.5, 1.6)


def _place_cyclists(street: Street, side: int, rng: np.random.Generator) -> None:
    p = street.profile
    t = side * (p.median / 2 + p.lanes * LANE_M + p.cycleway / 2)
    for s in np.arange(-street.long, street.long, 6.0):
        x, y = street.point(s + rng.uniform(0, 4), t + rng.uniform(-0.2, 0.2))
        if rng.random() < 0.45 and street.layout.near(x, y, 1.5):
            add_rider(street.layout, x, y, street.heading(side), street.ground.view.ppm, rng)


def add_rider(layout: Layout, x: float, y: float, heading: float, ppm: float, rng: np.random.Generator) -> None:
    """A person on a bicycle: two objects, the one over the other."""
    heading += rng.uniform(-0.08, 0.08)
    if layout.add(BICYCLE, sketch_bicycle(rng, ppm), x, y, heading, 0.3):
        back = (x - 0.12 * math.cos(heading), y - 0.12 * math.sin(heading))
        layout.low.append(Item(PERSON, sketch_person(rng, riding=True), *back, heading))
