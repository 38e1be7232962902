"""Lay out a car park: rows of bays, aisles, islands with trees."""

from __future__ import annotations

import math

import numpy as np

from .buildings import sketch_building
from .cars import sketch_car
from .furniture import sketch_hedge
from .ground import ASPHALT, GRASS, KERB, PAVEMENT, Ground
from .heavy import sketch_bus, sketch_truck
from .layout import BICYCLE, BUS, CAR, PERSON, SCENERY, TRUCK, Item, Layout
from .outlines import rounded, stroke
from .people import sketch_bicycle, sketch_person
from .signals import sketch_lamp_post
from .traffic import add_rider, compute_length
from .trees import choose_tree
from .view import View

BAY_WIDTH, BAY_DEPTH, AISLE = 2.55, 5.0, 6.4


def lay_parking(view: View, rng: np.random.Generator) -> tuple[Layout, Ground]:
    """A car park with a pavement and shops on one side."""
    extent = view.reach_m + 4 + math.hypot(view.x, view.y)
    layout, ground = Layout(view, extent), Ground(view, GRASS, rng)
    shops = float(rng.choice((-1, 1))) * rng.uniform(7, 13)
    side = 1 if shops > 0 else -1
    lot = rounded(0, shops - side * 40, 2 * extent, 80)
    ground.edge(lot, KERB, 0.5)
    ground.fill(lot, ASPHALT)
    _lay_shops(layout, ground, shops, side, rng)
    edge = shops - side * 1.2
    for row in range(4):
        y = edge - side * (row * (2 * BAY_DEPTH + AISLE) + AISLE + BAY_DEPTH)
        _lay_row(layout, ground, y, rng)
        _drive_aisle(layout, y + side * (BAY_DEPTH + AISLE / 2), rng)
    _place_people(layout, rng, shops, side)
    return layout, ground


def _lay_shops(layout: Layout, ground: Ground, edge: float, side: int, rng: np.random.Generator) -> None:
    extent, depth = layout.extent, 5.0
    ground.fill(rounded(0, edge + side * depth / 2, 2 * extent, depth), PAVEMENT)
    low, high = sorted((edge, edge + side * depth))
    ground.joints((-extent, low, extent, high), 0.75, PAVEMENT, brick=False)
    x = -extent
    while x < extent:
        length, deep = rng.uniform(14, 24), rng.uniform(10, 16)
        y = edge + side * (depth + 0.4 + deep / 2)
        if layout.near(x + length / 2, y, length):
            layout.roofs.append(Item(SCENERY, sketch_building(length, deep, rng), x + length / 2, y))
        x += length + rng.uniform(0.3, 3)
    for x in np.arange(-extent + 4, extent, 15.0):
        layout.trees.append(choose_tree(x, edge + side * 0.9, rng.uniform(1.2, 2.0), rng))


def _lay_row(layout: Layout, ground: Ground, y: float, rng: np.random.Generator) -> None:
    count = int(layout.extent // BAY_WIDTH)
    full = rng.uniform(0.5, 0.92)
    ground.mark(stroke((-layout.extent, y), (layout.extent, y), 0.11))
    for bay in range(-count, count):
        x = bay * BAY_WIDTH
        ground.mark(stroke((x, y - BAY_DEPTH), (x, y + BAY_DEPTH), 0.11))
        if bay % 9 == 4:
            _lay_island(layout, ground, x + BAY_WIDTH / 2, y, rng)
            continue
        for way in (-1, 1):
            middle = (x + BAY_WIDTH / 2, y + way * BAY_DEPTH / 2)
            if rng.random() < full and layout.near(*middle, 3.5):
                nose = way * math.pi / 2 + (math.pi if rng.random() < 0.6 else 0.0)
                at = middle[1] + rng.uniform(-0.15, 0.15)
                car = sketch_car(rng)
                car.lamps.clear()
                x_in, turn = middle[0] + rng.uniform(-0.12, 0.12), nose + rng.uniform(-0.04, 0.04)
                layout.add(CAR, car, x_in, at, turn, 0.0)


def _lay_island(layout: Layout, ground: Ground, x: float, y: float, rng: np.random.Generator) -> None:
    island = rounded(x, y, BAY_WIDTH - 0.3, 2 * BAY_DEPTH - 0.8, 1.0)
    ground.edge(island, KERB, 0.4)
    ground.fill(island, GRASS)
    layout.claim(island)
    for at in (-2.6, 2.6):
        kind = rng.random()
        if kind < 0.6:
            layout.trees.append(choose_tree(x, y + at, rng.uniform(1.2, 2.2), rng))
        elif kind < 0.8:
            layout.low.append(Item(SCENERY, sketch_hedge(3.4, rng), x, y + at, math.pi / 2))
    if rng.random() < 0.6:
        layout.high.append(
            Item(SCENERY, sketch_lamp_post(1.9), x, y, float(rng.choice((-1, 1))) * math.pi / 2, base=6.0)
        )


def _drive_aisle(layout: Layout, y: float, rng: np.random.Generator) -> None:
    x = -layout.extent
    while x < layout.extent:
        x += rng.uniform(4, 20)
        if not layout.near(x, y, 7.0):
            continue
        way = 1 if rng.random() < 0.5 else -1
        lane, heading, kind = y + way * 1.5, 0.0 if way > 0 else math.pi, rng.random()
        if kind < 0.3:
            layout.add(CAR, sketch_car(rng), x, lane, heading + rng.uniform(-0.1, 0.1), 0.2)
        elif kind < 0.62:
            truck = sketch_truck(rng)
            layout.add(TRUCK, truck, x, lane, heading, 0.1)
            x += compute_length(truck)
        elif kind < 0.82:
            layout.add(BUS, sketch_bus(rng), x, lane, heading, 0.1)
            x += 9
        else:
            add_rider(layout, x, lane, heading, layout.view.ppm, rng)


def _place_people(layout: Layout, rng: np.random.Generator, edge: float, side: int) -> None:
    reach = 0.6 * layout.extent
    for _ in range(int(rng.integers(6, 16))):
        x, y = layout.view.x + rng.uniform(-reach, reach), layout.view.y + rng.uniform(-reach, reach)
        if (y - edge) * side < 4.5 and layout.near(x, y, 0.5):
            layout.add(PERSON, sketch_person(rng), x, y, rng.uniform(0, 2 * math.pi), 0.1)
    for _ in range(int(rng.integers(4, 10))):
        x = layout.view.x + rng.uniform(-reach, reach)
        y = edge + side * rng.uniform(0.6, 3.6)
        layout.add(PERSON, sketch_person(rng), x, y, float(rng.choice((0.0, math.pi))) + rng.uniform(-0.4, 0.4), 0.1)
    x = layout.view.x + rng.uniform(-reach, reach)
    for k in range(int(rng.integers(3, 8))):
        bike = sketch_bicycle(rng, layout.view.ppm, leaning=True)
        layout.add(BICYCLE, bike, x + 0.85 * k, edge + side * 3.6, math.pi / 2 + rng.uniform(-0.1, 0.1), 0.0)
