"""Lay out a street or a junction: its surfaces, its marks, and who is on it."""

from __future__ import annotations

import math

import numpy as np

from .buildings import sketch_building
from .furniture import sketch_deck
from .ground import GRASS, PAVING, Ground
from .layout import SCENERY, TRAFFIC_LIGHT, Item, Layout
from .outlines import ellipse, rounded, turned
from .signals import GREEN, RED, sketch_arm, sketch_lamp_post, sketch_traffic_light
from .street import LANE_M, Profile, Street, choose_profile
from .surfaces import draw_surfaces, draw_wear
from .traffic import choose_vehicle, compute_length, place_parked, place_traffic
from .trees import choose_tree
from .view import View
from .walkers import place_furniture, place_walkers


def lay_street(view: View, rng: np.random.Generator, *, junction: bool) -> tuple[Layout, Ground]:
    """A street, or two that cross, with everything that is on them."""
    extent = view.reach_m + 4 + math.hypot(view.x, view.y)
    layout = Layout(view, extent)
    verge = GRASS if rng.random() < 0.55 else PAVING
    ground = Ground(view, verge, rng)
    main = choose_profile(rng, wide=True)
    cross = choose_profile(rng, wide=False)
    streets = [Street(layout, ground, main, rng, 0.0, cross.half if junction else 0.0)]
    if junction:
        streets.append(Street(layout, ground, cross, rng, math.pi / 2, main.half))
    if verge is PAVING:
        ground.joints((-extent, -extent, extent, extent), 0.9, PAVING, brick=True)
    draw_surfaces(streets)
    crossing = rng.random() < (0.9 if junction else 0.45)
    for street in streets:
        street.draw_marks(crossing=crossing)
    draw_wear(streets, rng)
    _place_buildings(layout, streets, rng)
    if junction or (crossing and rng.random() < 0.7):
        _place_signals(layout, streets, rng)
    _place_trees_and_lamps(layout, streets, rng)
    for street in streets:
        place_traffic(street, rng)
        place_parked(street, rng)
    for street in streets:
        place_furniture(street, rng)
    place_walkers(streets, rng, crossing=crossing)
    if not junction and rng.random() < 0.3:
        _place_bridge(layout, rng)
    elif rng.random() < 0.2:
        _place_wires(layout, main, rng)
    return layout, ground


def _place_bridge(layout: Layout, rng: np.random.Generator) -> None:
    """A road that passes over the street, with its own traffic."""
    length, width = 2.2 * layout.extent, 8.4
    reach = min(layout.view.hw) / layout.view.ppm / 2
    x, heading = (
        layout.view.x + float(rng.choice((-1, 1))) * rng.uniform(0.35, 0.9) * reach,
        math.pi / 2 + rng.uniform(-0.35, 0.35),
    )
    layout.decks.append(Item(SCENERY, sketch_deck(length, width, rng), x, 0.0, heading, base=5.0))
    for way in (-1, 1):
        at = -length / 2 + rng.uniform(0, 10)
        while at < length / 2:
            class_id, sketch = choose_vehicle(rng)
            along = compute_length(sketch)
            dx, dy = turned(np.array([(at + along / 2, way * 1.75)]), heading)[0]
            if layout.near(x + dx, dy, 8):
                layout.decks.append(Item(class_id, sketch, x + dx, dy, heading + (0.0 if way > 0 else math.pi)))
            at += along + rng.uniform(3, 16)
    layout.high = [item for item in layout.high if abs(item.x - x) > 8]
    layout.trees = [tree for tree in layout.trees if abs(tree.x - x) > 7]
    layout.roofs = [roof for roof in layout.roofs if abs(roof.x - x) > 17]


def _place_wires(layout: Layout, profile: Profile, rng: np.random.Generator) -> None:
    """A tram's wires along the street, and what they hang from."""
    a = layout.extent
    for t in (-1.7, 1.7):
        layout.wires.append((np.array([(-a, t), (a, t)]), 5.5))
    for s in np.arange(-a + rng.uniform(0, 12), a, 12.0):
        layout.wires.append((np.array([(s, -profile.half - 0.8), (s, profile.half + 0.8)]), 5.7))
        layout.high.extend(Item(SCENERY, sketch_arm(0.2), s, t * (profile.half + 0.8), base=5.5) for t in (-1, 1))


def _place_buildings(layout: Layout, streets: list[Street], rng: np.random.Generator) -> None:
    main = streets[0].profile
    keep = streets[1].profile.outer if len(streets) == 2 else 0.0
    for side in (-1, 1):
        if rng.random() < 0.35:
            continue
        s = -layout.extent + rng.uniform(0, 6)
        while s < layout.extent:
            length, depth = rng.uniform(9, 17), rng.uniform(8, 15)
            t = side * (main.outer + rng.uniform(0.8, 3.0) + depth / 2)
            clear = keep == 0 or abs(s + length / 2) - length / 2 > keep + 0.8
            if not layout.near(s + length / 2, t, max(length, depth)):
                s += 4.0
            elif clear and layout.claim(rounded(s + length / 2, t, length, depth)):
                layout.roofs.append(Item(SCENERY, sketch_building(length, depth, rng), s + length / 2, t))
                s += length + rng.uniform(0.6, 5)
            else:
                s += 2.0


def _place_signals(layout: Layout, streets: list[Street], rng: np.random.Generator) -> None:
    """Arms with heads before a junction, or on both sides of a crossing that lies by itself."""
    phase = int(rng.integers(3))
    for number, street in enumerate(streets):
        lit = phase if number == 0 else (GREEN, RED, RED)[phase]
        for way in (-1, 1):
            place = street.gap + 1.1 + rng.uniform(-0.5, 0.5) if street.gap else 2.3
            s = way * place + (0.0 if street.gap else street.crossings[0])
            if rng.random() < 0.94:
                place_arm(layout, street, s, -way, lit, rng)


def place_arm(layout: Layout, street: Street, s: float, side: int, lit: int, rng: np.random.Generator) -> None:
    """An arm over one side of the street with a head for each lane."""
    p = street.profile
    foot = p.half + 0.7
    reach = foot - p.median / 2 - LANE_M * rng.uniform(0.5, 0.9)
    across = street.turn - side * math.pi / 2
    layout.high.append(Item(SCENERY, sketch_arm(reach + 0.3), *street.point(s, side * foot), across, base=4.5))
    for lane in range(p.lanes):
        x, y = street.point(s, side * (foot - reach + lane * LANE_M))
        layout.high.append(Item(TRAFFIC_LIGHT, sketch_traffic_light(lit), x, y, across, base=4.4))


def _place_trees_and_lamps(layout: Layout, streets: list[Street], rng: np.random.Generator) -> None:
    for street in streets:
        p = street.profile
        spacing = rng.uniform(9, 16)
        for side in (-1, 1):
            kind = rng.random()
            for s in np.arange(-street.long + rng.uniform(0, spacing), street.long, spacing):
                if street.gap and abs(s) < street.gap + 7:
                    continue
                if kind < 0.55:
                    x, y = street.point(s, side * (p.half + 1.0))
                    layout.trees.append(choose_tree(x, y, rng.uniform(1.4, 2.7), rng))
        for s in np.arange(-street.long + rng.uniform(0, 18), street.long, 18):
            if street.gap and abs(s) < street.gap + 2:
                continue
            side = int(rng.choice((-1, 1)))
            x, y = street.point(s, side * (p.half + 0.5))
            layout.high.append(
                Item(SCENERY, sketch_lamp_post(rng.uniform(1.5, 2.4)), x, y, street.turn - side * math.pi / 2, base=6.0)
            )
    clear_x = streets[1].profile.outer if len(streets) == 2 else 0.0
    for _ in range(int(rng.integers(3, 14))):
        x, y = rng.uniform(-layout.extent, layout.extent, 2)
        radius = rng.uniform(1.6, 3.6)
        if abs(y) < streets[0].profile.outer + radius or abs(x) < clear_x + radius:
            continue
        if layout.claim(ellipse(x, y, radius, radius, steps=10)):
            layout.trees.append(choose_tree(x, y, radius, rng))
