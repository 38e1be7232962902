"""Cars seen from above."""

from __future__ import annotations

import numpy as np

from .colours import CARS, GLASS, Bgr, parse, pick, tone
from .outlines import Point, ellipse, mirrored, rounded, smooth, stroke
from .sketch import Lamp, Sketch

HEADLIGHT: Bgr = parse("FFF6DF")
TAIL_LIGHT: Bgr = parse("B3161B")


def sketch_car(rng: np.random.Generator) -> Sketch:
    """A car of a random build, size and colour, about 3.7 to 5 m long."""
    build = ("saloon", "hatch", "estate")[int(rng.choice(3, p=(0.4, 0.35, 0.25)))]
    length = {"saloon": 4.7, "hatch": 4.0, "estate": 4.75}[build] * rng.uniform(0.94, 1.06)
    width = 1.86 * rng.uniform(0.96, 1.04)
    paint = pick(CARS, rng)
    car = Sketch(height=1.5)
    _draw_body(car, length, width, paint)
    rear = {"saloon": -0.40, "hatch": -0.78, "estate": -0.82}[build]
    _draw_cabin(car, length, width, paint, rear, rng)
    _draw_ends(car, length, width, paint)
    if build == "estate" and rng.random() < 0.5:
        for side in (-1, 1):
            car.paint(
                stroke((length * -0.36, side * width * 0.31), (length * 0.08, side * width * 0.31), 0.06),
                tone(paint, -55),
            )
    if rng.random() < 0.07:
        car.paint(rounded(-0.1, 0, 0.34, 0.95, 0.1), parse("F7D23B"), 255)
        car.paint(rounded(-0.1, 0, 0.14, 0.6, 0.02), parse("22211C"))
    return car


def _draw_body(car: Sketch, length: float, width: float, paint: Bgr) -> None:
    for side in (-1, 1):
        car.body(ellipse(length * 0.16, side * width * 0.535, 0.11, 0.13, side * 0.35, steps=10), tone(paint, -18))
    x, y = length / 2, width / 2
    shape = (
        *((1.0, 0.0), (0.985, 0.45), (0.95, 0.74), (0.84, 0.93), (0.66, 0.985), (0.3, 0.965), (-0.4, 0.975)),
        *((-0.66, 1.0), (-0.86, 0.95), (-0.97, 0.78), (-1.0, 0.42), (-1.0, 0.0)),
    )
    half: list[Point] = [(along * x, across * y) for along, across in shape]
    car.body(smooth(mirrored(half)), paint, 90)
    inner = smooth(mirrored([(0.93 * px, 0.87 * py) for px, py in half]))
    car.paint(inner, tone(paint, 5), 150)


def _draw_cabin(car: Sketch, length: float, width: float, paint: Bgr, rear: float, rng: np.random.Generator) -> None:
    x, y = length / 2, width / 2
    front, roof_front, roof_rear, tail = 0.40 * x, 0.08 * x, (rear + 0.02) * x, max(rear - 0.24, -0.93) * x
    glass: list[Point] = [
        *((front, 0.0), (front - 0.05 * x, 0.6 * y), (front - 0.14 * x, 0.84 * y)),
        *((roof_rear, 0.86 * y), (tail, 0.66 * y), (tail, 0.0)),
    ]
    roof: list[Point] = [
        *((roof_front + 0.03 * x, 0.0), (roof_front, 0.6 * y), (roof_front - 0.06 * x, 0.69 * y)),
        *((roof_rear + 0.06 * x, 0.69 * y), (roof_rear, 0.55 * y), (roof_rear, 0.0)),
    ]
    middle = (roof_front + roof_rear) / 2
    car.paint(smooth(mirrored(glass), 1), GLASS, 190)
    _draw_reflections(car, front, roof_front, y, rng)
    car.paint(smooth(mirrored(roof), 1), tone(paint, 9), 240)
    for side in (-1, 1):
        pillars: tuple[tuple[Point, Point, int], ...] = (
            ((front - 0.1 * x, side * 0.83 * y), (roof_front - 0.03 * x, side * 0.66 * y), -8),
            ((roof_rear + 0.03 * x, side * 0.64 * y), (tail + 0.02 * x, side * 0.72 * y), -8),
            ((middle, side * 0.66 * y), (middle, side * 0.85 * y), -12),
        )
        for low, high, step in pillars:
            car.paint(stroke(low, high, 0.075), tone(paint, step))
    if rng.random() < 0.3:
        car.paint(rounded(middle + 0.1 * x, 0, 0.42 * x, 0.95 * y, 0.1), tone(GLASS, 6))
    car.paint(ellipse(roof_rear + 0.1 * x, 0, 0.09, 0.04, steps=8), tone(paint, -50))


def _draw_reflections(car: Sketch, front: float, roof_front: float, y: float, rng: np.random.Generator) -> None:
    at, wide = rng.uniform(-0.5, 0.1) * y, rng.uniform(0.2, 0.45) * y
    low, high = front - 0.05, roof_front + 0.06
    shine = np.array([(low, at), (low, at + wide), (high, at + wide * 0.8 + 0.12 * y), (high, at + 0.12 * y)])
    car.paint(shine, tone(GLASS, 22))


def _draw_ends(car: Sketch, length: float, width: float, paint: Bgr) -> None:
    x, y = length / 2, width / 2
    for side in (-1, 1):
        car.paint(stroke((0.44 * x, side * 0.42 * y), (0.9 * x, side * 0.34 * y), 0.045), tone(paint, -22))
        lamp = np.array(
            [
                (0.955 * x, side * 0.44 * y),
                (0.925 * x, side * 0.72 * y),
                (0.83 * x, side * 0.88 * y),
                (0.87 * x, side * 0.62 * y),
            ]
        )
        car.paint(lamp, parse("DCE3E6"))
        tail = np.array(
            [
                (-0.985 * x, side * 0.45 * y),
                (-0.945 * x, side * 0.8 * y),
                (-0.86 * x, side * 0.92 * y),
                (-0.92 * x, side * 0.5 * y),
            ]
        )
        car.paint(tail, TAIL_LIGHT)
        car.lamps.append(Lamp(0.93 * x, side * 0.66 * y, 0.16, HEADLIGHT, beam=9.0))
        car.lamps.append(Lamp(-0.95 * x, side * 0.66 * y, 0.14, parse("FF2A22")))
    car.paint(stroke((0.43 * x, -0.72 * y), (0.43 * x, 0.72 * y), 0.05), tone(paint, -30))
