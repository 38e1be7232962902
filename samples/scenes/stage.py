"""The clip's street: what stands still, and where everything that moves is at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .furniture import sketch_deck
from .ground import GRASS, Ground
from .layout import BICYCLE, PERSON, SCENERY, Item, Layout
from .motion import STEP_S, Mover, drive
from .people import sketch_bicycle, sketch_person
from .sketch import Sketch
from .street import LANE_M, Profile, Street
from .streets import place_arm
from .surfaces import draw_surfaces, draw_wear
from .traffic import choose_vehicle, compute_length
from .trees import choose_tree
from .view import View
from .walkers import place_furniture

Actor = Callable[[float], Item]
# Who moves, and what is drawn of it: a vehicle, or a bicycle and its rider.
Crew = list[tuple[Mover, list[tuple[int, Sketch]]]]
CROSSING_M = -4.0
_PROFILE = Profile(lanes=2, parking=0.0, cycleway=1.7, median=0.0, pavement=3.6)
_DECK_M, _DECK_TURN = 11.5, 1.32


@dataclass(slots=True)
class Stage:
    """A street with actors.

    Attributes:
        ground: The surface.
        layout: What stands still.
        low: What moves on the ground, in drawing order.
        high: What moves on the bridge.
    """

    ground: Ground
    layout: Layout
    low: list[Actor] = field(default_factory=list)
    high: list[Actor] = field(default_factory=list)


def build_stage(view: View, rng: np.random.Generator, held: Callable[[float], bool], seconds: float) -> Stage:
    """Lay out the street and work out every movement; ``held`` says when the lights stop the traffic."""
    layout = Layout(view, 34.0)
    ground = Ground(view, GRASS, rng)
    street = Street(layout, ground, _PROFILE, rng, 0.0, 0.0)
    stage = Stage(ground, layout)
    _lay_ground(street, rng)
    _place_still(street, rng)
    _add_walkers(stage, street, rng)
    _add_traffic(stage, street, rng, held, seconds)
    _add_bridge(stage, rng)
    return stage


def _lay_ground(street: Street, rng: np.random.Generator) -> None:
    draw_surfaces([street])
    street.draw_wheel_tracks()
    street.draw_lines(-street.long, street.long)
    street.draw_crossing(CROSSING_M)
    draw_wear([street], rng)


def _place_still(street: Street, rng: np.random.Generator) -> None:
    p, layout = street.profile, street.layout
    for way in (-1, 1):
        place_arm(layout, street, CROSSING_M + way * 2.4, -way, 0, rng)
    for s, side in ((-16.5, 1), (-11.0, -1), (2.6, 1), (4.0, -1), (19.0, 1)):
        layout.trees.append(choose_tree(s, side * (p.half + 0.9), rng.uniform(2.0, 2.7), rng))
    place_furniture(street, rng)


def _add_walkers(stage: Stage, street: Street, rng: np.random.Generator) -> None:
    p = street.profile
    for _ in range(9):
        side, way = int(rng.choice((-1, 1))), int(rng.choice((-1, 1)))
        t = side * rng.uniform(p.half + 0.7, p.outer - 0.5)
        start = (rng.uniform(-22, 22), t)
        stage.low.append(_walk(rng, start, 0.0 if way > 0 else math.pi, rng.uniform(1.1, 1.6)))
    for _ in range(7):
        way = int(rng.choice((-1, 1)))
        begin = -way * (p.half + rng.uniform(-9.5, 0.5))
        start = (CROSSING_M + rng.uniform(-1.3, 1.3), begin)
        stage.low.append(_walk(rng, start, way * math.pi / 2, rng.uniform(2.0, 2.4)))


def _walk(rng: np.random.Generator, start: tuple[float, float], heading: float, speed: float) -> Actor:
    look, step_m = int(rng.integers(2**31)), 1.5
    heading += rng.uniform(-0.05, 0.05)
    dx, dy = math.cos(heading), math.sin(heading)

    def place(time_s: float) -> Item:
        way = speed * time_s
        stride = math.sin(2 * math.pi * (way / step_m + look % 97 / 97))
        person = sketch_person(np.random.Generator(np.random.PCG64(look)), stride=stride)
        return Item(PERSON, person, start[0] + dx * way, start[1] + dy * way, heading)

    return place


def _add_traffic(
    stage: Stage, street: Street, rng: np.random.Generator, held: Callable[[float], bool], seconds: float
) -> None:
    p = street.profile
    for side in (-1, 1):
        stop = side * CROSSING_M - 3.2
        offsets = [side * (lane + 0.5) * LANE_M for lane in range(p.lanes)]
        crews: list[Crew] = [_queue(rng, stop) for _ in offsets]
        offsets.append(side * (p.half - p.cycleway / 2))
        crews.append(_queue_bicycles(rng, stop, street.ground.view.ppm))
        steps = round(seconds / STEP_S) + 1
        places = drive([[mover for mover, _ in crew] for crew in crews], held, stop, steps)
        for lane, (t, crew) in enumerate(zip(offsets, crews, strict=True)):
            for number, (mover, parts) in enumerate(crew):
                trace = [step[lane][number] - mover.length / 2 for step in places]
                stage.low.extend(_ride(street, side, t, trace, part) for part in parts)


def _ride(street: Street, side: int, t: float, trace: list[float], part: tuple[int, Sketch]) -> Actor:
    class_id, sketch = part
    # A rider sits a little behind the middle of the bicycle.
    back = 0.12 if class_id == PERSON else 0.0

    def place(time_s: float) -> Item:
        x, y = street.point(side * (trace[round(time_s / STEP_S)] - back), t)
        return Item(class_id, sketch, x, y, street.heading(side))

    return place


def _queue(rng: np.random.Generator, stop: float) -> Crew:
    """A lane: some that have passed the crossing, a queue before it, some that arrive."""
    crew: Crew = []
    front = stop + 34 + rng.uniform(0, 6)
    while front > -75:
        class_id, sketch = choose_vehicle(rng)
        length = compute_length(sketch)
        queued = stop - 22 < front <= stop + 12
        if queued and (not crew or crew[-1][0].speed > 0):
            front = stop - 0.3
        speed = 0.0 if queued else 8.0
        mover = Mover(front, length, speed, rng.uniform(8, 10), 2.6 if length < 6 else 1.7)
        crew.append((mover, [(class_id, sketch)]))
        front -= length + (rng.uniform(1.7, 2.6) if queued else rng.uniform(9, 17))
    return crew


def _queue_bicycles(rng: np.random.Generator, stop: float, ppm: float) -> Crew:
    crew: Crew = []
    front = stop + rng.uniform(12, 20)
    while front > -45:
        waits = stop - 4 < front <= stop + 1
        parts = [(BICYCLE, sketch_bicycle(rng, ppm)), (PERSON, sketch_person(rng, riding=True))]
        crew.append((Mover(front, 1.9, 0.0 if waits else 4.5, rng.uniform(4.2, 5.4), 1.3), parts))
        front -= rng.uniform(2.6, 3.2) if waits else rng.uniform(5, 13)
    return crew


def _add_bridge(stage: Stage, rng: np.random.Generator) -> None:
    length = 60.0
    stage.layout.decks.append(Item(SCENERY, sketch_deck(length, 8.4, rng), _DECK_M, 0.0, _DECK_TURN, base=5.0))
    for way in (-1, 1):
        at = -36.0
        while at < 36:
            class_id, sketch = choose_vehicle(rng)
            stage.high.append(_cross_bridge(class_id, sketch, at - 50 * (way > 0) - 20, way, 9.0))
            at += compute_length(sketch) + rng.uniform(6, 18)


def _cross_bridge(class_id: int, sketch: Sketch, start: float, way: int, speed: float) -> Actor:
    c, s = math.cos(_DECK_TURN), math.sin(_DECK_TURN)

    def place(time_s: float) -> Item:
        along, across = way * (start + speed * time_s), way * 1.75
        x, y = _DECK_M + along * c - across * s, along * s + across * c
        return Item(class_id, sketch, x, y, _DECK_TURN + (0.0 if way > 0 else math.pi))

    return place
