"""Buses and trucks seen from above."""

from __future__ import annotations

import numpy as np

from .cars import HEADLIGHT, TAIL_LIGHT
from .colours import GLASS, Bgr, parse, pick, tone
from .outlines import ellipse, mirrored, rounded, smooth, stroke
from .sketch import Lamp, Sketch

BUSES = "D6232A C9302C 1F6FB2 2B8FC7 F0B51E E8792B 2E8B57 F3F3EE 3E4F8A 7CB342"
CABS = "C22F2F 2D5DA8 F2F2EF E7A824 2F7D4F 3A3F45 E06A26 7A1F2B 4D8FB8"
BOXES = "F4F4F1 ECEAE4 DADEE0 B9C2C8 E9DFC8 2F5D8C B23A35 3E7A55 D9982E"


def sketch_bus(rng: np.random.Generator) -> Sketch:
    """A city bus, 10 to 12.5 m long, with hatches and cooling on its roof."""
    length, width = rng.uniform(10.0, 12.5), 2.6
    paint = pick(BUSES, rng)
    roof = tone(paint, 14) if rng.random() < 0.55 else parse("EDEFEF")
    bus = Sketch(height=3.1, round_m=0.22)
    x, y = length / 2, width / 2
    for side in (-1, 1):
        bus.body(ellipse(x - 0.12, side * (y + 0.16), 0.1, 0.2, steps=10), parse("20252A"))
    bus.body(rounded(0, 0, length, width, 0.35), paint, 140)
    bus.paint(rounded(x - 0.2, 0, 0.34, width * 0.86, 0.14), GLASS, 120)
    bus.paint(stroke((x - 0.25, -0.5), (x - 0.14, 0.35), 0.12), tone(GLASS, 28))
    bus.paint(rounded(-0.12, 0, length - 0.9, width - 0.34, 0.28), roof, 235)
    for side in (-1, 1):
        bus.paint(stroke((-x + 0.6, side * y * 0.95), (x - 0.7, side * y * 0.95), 0.07), tone(GLASS, 8))
        bus.paint(stroke((-x + 0.9, side * y * 0.62), (x - 1.0, side * y * 0.62), 0.05), tone(roof, -16))
    _draw_roof_gear(bus, x, roof, rng)
    _draw_lights(bus, x, y)
    return bus


def _draw_roof_gear(bus: Sketch, x: float, roof: Bgr, rng: np.random.Generator) -> None:
    cooling = x * rng.uniform(0.28, 0.5)
    bus.paint(rounded(cooling, 0, 2.1, 1.5, 0.12), tone(roof, -12), 255)
    for k in range(5):
        bus.paint(rounded(cooling - 0.72 + 0.36 * k, 0, 0.16, 1.15, 0.03), tone(roof, -48))
    for at in (-0.05, -0.42):
        bus.paint(rounded(x * at, 0, 0.85, 0.8, 0.08), tone(roof, -22), 255)
        bus.paint(rounded(x * at, 0, 0.66, 0.6, 0.06), tone(roof, -8))
    bus.paint(rounded(-x * 0.78, 0, 1.3, 1.7, 0.1), tone(roof, -30), 250)
    for k in range(6):
        bus.paint(rounded(-x * 0.78 - 0.5 + 0.2 * k, 0, 0.08, 1.45), tone(roof, -60))


def _draw_lights(sketch: Sketch, x: float, y: float) -> None:
    for side in (-1, 1):
        sketch.paint(rounded(x - 0.07, side * y * 0.78, 0.12, 0.42, 0.05), parse("E6EAEB"))
        sketch.paint(rounded(-x + 0.07, side * y * 0.8, 0.12, 0.4, 0.04), TAIL_LIGHT)
        sketch.lamps.append(Lamp(x - 0.05, side * y * 0.75, 0.18, HEADLIGHT, beam=10.0))
        sketch.lamps.append(Lamp(-x + 0.05, side * y * 0.8, 0.16, parse("FF2A22")))


def sketch_truck(rng: np.random.Generator) -> Sketch:
    """A truck: a cab and, behind a gap, a box, a container, a tank or an open load; 6.5 to 12 m long."""
    small = rng.random() < 0.45
    length = rng.uniform(6.4, 7.8) if small else rng.uniform(9.2, 12.0)
    width = 2.3 if small else 2.5
    truck = Sketch(height=2.9 if small else 3.5, round_m=0.2, grain=6)
    x = length / 2
    cab = 1.75 if small else 2.15
    truck.body(rounded(-0.2, 0, length - 0.5, 0.95, 0.05), parse("2A2C2F"), 40)
    front = x - cab - 0.28
    _draw_load(truck, -x, front, width, rng)
    _draw_cab(truck, x, cab, width * 0.96, pick(CABS, rng), long_nose=not small and rng.random() < 0.2)
    _draw_lights(truck, x, width / 2)
    return truck


def _draw_cab(truck: Sketch, x: float, cab: float, width: float, paint: Bgr, *, long_nose: bool) -> None:
    y = width / 2
    middle = x - cab / 2
    for side in (-1, 1):
        truck.body(rounded(x - 0.35, side * (y + 0.17), 0.16, 0.3, 0.05), tone(paint, -45))
    half = [(x, 0.0), (x - 0.02, 0.7 * y), (x - 0.16, 0.96 * y), (x - 0.5, y), (x - cab, y), (x - cab, 0.0)]
    truck.body(smooth(mirrored(half), 1), paint, 150)
    glass_x = x - (0.95 if long_nose else 0.36)
    screen = smooth(
        mirrored(
            [
                (glass_x + 0.24, 0.0),
                (glass_x + 0.17, 0.72 * y),
                (glass_x + 0.02, 0.92 * y),
                (glass_x - 0.26, 0.84 * y),
                (glass_x - 0.2, 0.0),
            ]
        ),
        1,
    )
    truck.paint(screen, GLASS, 175)
    truck.paint(
        np.array([(glass_x + 0.2, -0.5), (glass_x + 0.21, -0.1), (glass_x - 0.2, 0.1), (glass_x - 0.2, -0.3)]),
        tone(GLASS, 24),
    )
    for side in (-1, 1):
        truck.paint(stroke((middle - 0.1, side * 0.95 * y), (glass_x - 0.2, side * 0.95 * y), 0.1), tone(GLASS, 6))
    roof_x, roof = (x - cab + glass_x - 0.2) / 2, glass_x - 0.2 - (x - cab) - 0.16
    truck.paint(rounded(roof_x, 0, roof, width * 0.84, 0.14), tone(paint, 8), 235)
    truck.paint(rounded(roof_x - roof * 0.16, 0, roof * 0.5, width * 0.62, 0.12), tone(paint, 16), 255)
    truck.paint(stroke((glass_x - 0.32, -0.4 * y), (glass_x - 0.32, 0.4 * y), 0.08), parse("F2B84B"))


def _draw_load(truck: Sketch, rear: float, front: float, width: float, rng: np.random.Generator) -> None:
    middle, length = (rear + front) / 2, front - rear
    kind = ("box", "container", "tank", "open")[int(rng.choice(4, p=(0.45, 0.2, 0.15, 0.2)))]
    paint = pick(BOXES, rng)
    if kind == "tank":
        steel = parse("C9CED2")
        truck.body(rounded(middle, 0, length, width * 0.94, width * 0.4, steps=6), tone(steel, -25), 60)
        for k, level in enumerate((110, 160, 205, 235)):
            truck.paint(
                rounded(middle, 0, length - 0.3 - 0.1 * k, width * (0.78 - 0.18 * k), width * 0.3),
                tone(steel, -12 + 9 * k),
                level,
            )
        for at in (-0.3, 0.0, 0.3):
            truck.paint(
                stroke((middle + at * length, -width * 0.45), (middle + at * length, width * 0.45), 0.07),
                tone(steel, -30),
            )
            truck.paint(ellipse(middle + at * length, 0, 0.28, 0.28), tone(steel, -45), 255)
            truck.paint(ellipse(middle + at * length, 0, 0.2, 0.2), tone(steel, -10))
        return
    truck.body(rounded(middle, 0, length, width, 0.06), paint, 170)
    if kind == "open":
        _draw_open_load(truck, middle, length, width, paint, rng)
        return
    truck.paint(rounded(middle, 0, length - 0.16, width - 0.16, 0.04), tone(paint, 10), 235)
    step = 0.3 if kind == "container" else 1.15
    for k in range(1, int(length / step)):
        at = rear + k * length / int(length / step)
        truck.paint(
            stroke((at, -width * 0.46), (at, width * 0.46), 0.1 if kind == "container" else 0.05), tone(paint, -14)
        )
    if kind == "box" and rng.random() < 0.4:
        truck.paint(rounded(middle, 0, length * 0.55, width * 0.34, 0.1), pick(CABS, rng))


def _draw_open_load(
    truck: Sketch, middle: float, length: float, width: float, paint: Bgr, rng: np.random.Generator
) -> None:
    truck.paint(rounded(middle, 0, length - 0.22, width - 0.22), parse("3A3733"), 90)
    if rng.random() < 0.5:
        sand = pick("C8A36A B5895A 8A8580 6B5A48", rng)
        truck.paint(rounded(middle, 0, length - 0.3, width - 0.3, 0.2), sand, 110)
        for k in range(26):
            share = 1 - k / 26
            cx, cy = middle + rng.uniform(-0.44, 0.44) * length * share**0.5, rng.uniform(-0.3, 0.3) * width * share
            lump = ellipse(cx, cy, rng.uniform(0.45, 0.9), rng.uniform(0.3, 0.5), rng.uniform(-0.5, 0.5), steps=12)
            truck.paint(lump, tone(sand, int(rng.integers(-5, 6))), round(120 + 130 * (1 - share)))
        for _ in range(40):
            cx, cy = middle + rng.uniform(-0.45, 0.45) * (length - 0.4), rng.uniform(-0.42, 0.42) * (width - 0.3)
            truck.paint(ellipse(cx, cy, 0.09, 0.07, rng.uniform(0, 3), steps=6), tone(sand, int(rng.integers(-28, 22))))
        return
    for k in range(5):
        y = (k - 2) * width * 0.165
        logs = pick("9C7248 8A6239 B08A5B", rng)
        truck.paint(rounded(middle, y, length * rng.uniform(0.82, 0.93), width * 0.15, 0.12), logs, 220)
