"""Persons and bicycles seen from above."""

from __future__ import annotations

import math

import numpy as np

from .colours import CLOTHES, HAIR, SKIN, parse, pick, tone
from .outlines import ellipse, rounded, stroke
from .sketch import Lamp, Sketch

BICYCLES = "D23B3B 2F6FB0 2E8B57 F0B429 22252A E8E8E4 E0702A 6A4C93 3AA6A0"
# Persons are drawn a little larger than life: at true scale their shoulders would be a handful of pixels.
_SCALE = 1.42


def sketch_person(rng: np.random.Generator, *, stride: float | None = None, riding: bool = False) -> Sketch:
    """A person: shoulders, arms, head, and feet that stride.

    Args:
        rng: Chooses clothes, hair and build.
        stride: The step's phase, -1 to 1; a random one if None.
        riding: Arms reach ahead to a handlebar, and no feet show.
    """
    size = _SCALE * rng.uniform(0.92, 1.1)
    shirt, trousers, hair, skin = pick(CLOTHES, rng), pick(CLOTHES, rng), pick(HAIR, rng), pick(SKIN, rng)
    phase = rng.uniform(-1, 1) if stride is None else stride
    person = Sketch(height=1.6, round_m=0.16, gloss=1.3)
    if riding:
        _draw_riding_limbs(person, size, shirt, skin, trousers)
    else:
        _draw_walking_limbs(person, size, phase, shirt, skin, trousers)
    person.body(ellipse(0, 0, 0.155 * size, 0.27 * size), shirt, 150)
    person.paint(ellipse(0.02 * size, 0, 0.1 * size, 0.2 * size), tone(shirt, 10), 190)
    extra = rng.random()
    if extra < 0.25:
        person.body(rounded(-0.15 * size, 0, 0.2 * size, 0.3 * size, 0.07), pick(CLOTHES, rng), 200)
    person.paint(ellipse(0.09 * size, 0, 0.08 * size, 0.075 * size, steps=12), skin, 220)
    person.paint(ellipse(0.03 * size, 0, 0.125 * size, 0.11 * size), hair, 255)
    if extra > 0.85:
        hat = pick(CLOTHES, rng)
        person.body(ellipse(0.04 * size, 0, 0.19 * size, 0.18 * size), hat, 230)
        person.paint(ellipse(0.03 * size, 0, 0.11 * size, 0.1 * size), tone(hat, -18), 255)
    return person


def _draw_walking_limbs(
    person: Sketch,
    size: float,
    phase: float,
    shirt: tuple[int, int, int],
    skin: tuple[int, int, int],
    trousers: tuple[int, int, int],
) -> None:
    for side in (-1, 1):
        step = side * phase * 0.27 * size
        shoe = (step + 0.05 * size, side * 0.11 * size)
        person.body(
            stroke((0.0, side * 0.1 * size), (step, side * 0.11 * size), 0.17 * size, round_ends=True),
            tone(trousers, -15),
            60,
        )
        person.body(ellipse(*shoe, 0.13 * size, 0.06 * size, steps=10), parse("1E1C1B"))
        swing = -side * phase * 0.2 * size
        person.body(
            stroke((0.0, side * 0.24 * size), (swing, side * 0.31 * size), 0.11 * size, round_ends=True),
            tone(shirt, -6),
            110,
        )
        person.body(ellipse(swing * 1.25, side * 0.32 * size, 0.055 * size, 0.05 * size, steps=8), skin)


def _draw_riding_limbs(
    person: Sketch, size: float, shirt: tuple[int, int, int], skin: tuple[int, int, int], trousers: tuple[int, int, int]
) -> None:
    for side in (-1, 1):
        person.body(
            stroke((-0.05, side * 0.1 * size), (0.16 * size, side * 0.13 * size), 0.14 * size, round_ends=True),
            tone(trousers, -10),
            70,
        )
        person.body(
            stroke((0.02, side * 0.22 * size), (0.36 * size, side * 0.22 * size), 0.09 * size, round_ends=True),
            tone(shirt, -6),
            110,
        )
        person.body(ellipse(0.4 * size, side * 0.21 * size, 0.05 * size, 0.05 * size, steps=8), skin)


def sketch_bicycle(rng: np.random.Generator, ppm: float, *, leaning: bool = False) -> Sketch:
    """A bicycle: two thin wheels in line, frame, handlebar and saddle; ``leaning`` shows the wheels' rings."""
    paint = pick(BICYCLES, rng)
    thin = max(0.075, 1.3 / ppm)
    bike = Sketch(height=0.8, round_m=0.06, gloss=0.6)
    tyre = parse("17181A")
    for x in (-0.58, 0.58):
        if leaning:
            _draw_ring(bike, x, 0.36, 0.17, thin)
        else:
            bike.body(rounded(x, 0, 0.74, max(0.1, 1.6 / ppm), 0.05), tyre)
    bike.body(stroke((-0.58, 0.0), (0.5, 0.0), thin * 1.2), paint)
    bike.body(stroke((-0.2, 0.0), (0.1, -0.12 if leaning else 0.0), thin), paint)
    bar = 0.44
    bike.body(stroke((bar, -0.31), (bar, 0.31), thin), parse("3B3F44"))
    for side in (-1, 1):
        bike.body(stroke((bar, side * 0.31), (bar - 0.12, side * 0.34), thin * 1.25, round_ends=True), parse("101112"))
        bike.body(stroke((0.0, side * 0.08), (side * 0.14, side * 0.16), thin), parse("2A2C30"))
    bike.body(ellipse(-0.27, 0, 0.16, max(0.085, 1.2 / ppm), steps=12), parse("241B16"), 200)
    extra = rng.random()
    if extra < 0.22:
        bike.body(rounded(0.72, 0, 0.34, 0.36, 0.05), parse("9A7B4F"), 160)
        bike.paint(rounded(0.72, 0, 0.22, 0.24, 0.03), parse("5E4A2E"))
    elif extra < 0.4:
        bike.body(rounded(-0.62, 0, 0.4, 0.3, 0.05), tone(paint, -35), 160)
    if not leaning:
        bike.lamps.append(Lamp(0.8, 0.0, 0.08, parse("FFF3D0"), beam=3.5))
        bike.lamps.append(Lamp(-0.92, 0.0, 0.07, parse("FF2A22")))
    return bike


def _draw_ring(bike: Sketch, cx: float, rx: float, ry: float, thin: float) -> None:
    steps = 14
    for k in range(steps):
        a, b = (2 * math.pi * v / steps for v in (k, k + 1))
        start, end = (cx + rx * math.cos(a), ry * math.sin(a)), (cx + rx * math.cos(b), ry * math.sin(b))
        bike.body(stroke(start, end, thin), parse("17181A"))
