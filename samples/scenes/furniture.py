"""What stands about on pavements, lawns and squares."""

from __future__ import annotations

import math

import numpy as np

from .colours import Bgr, parse, pick, tone
from .outlines import ellipse, rounded, stroke
from .sketch import Sketch

HEDGES = "3F6B35 4C7A3E 557F3A"
FLOWERS = "E0457B F2C14E E8E4F0 D9443A B06FC4 F08A4B"
CLOTH = "D9463E F2EBDD 3E7CB1 E6A93A 4E8D6B F4F4F0"


def sketch_hedge(length: float, rng: np.random.Generator) -> Sketch:
    """A clipped hedge along x."""
    green = pick(HEDGES, rng)
    hedge = Sketch(height=0.9, round_m=0.25, grain=26)
    hedge.body(rounded(0, 0, length, 0.95, 0.3), green, 220)
    for _ in range(round(length * 9)):
        x, y = rng.uniform(-0.48, 0.48) * length, rng.uniform(-0.36, 0.36)
        hedge.paint(
            ellipse(x, y, 0.13, 0.1, rng.uniform(0, 3), steps=7),
            tone(green, int(rng.integers(-20, 22))),
            int(rng.integers(185, 255)),
        )
    return hedge


def sketch_bench(rng: np.random.Generator) -> Sketch:
    """A bench of slats."""
    wood = pick("9A6B3F 84603F B07C4A", rng)
    bench = Sketch(height=0.45, round_m=0.06)
    for k in range(4):
        bench.body(rounded(0, -0.24 + 0.16 * k, 1.9, 0.11, 0.02), wood, 200)
    for x in (-0.75, 0.75):
        bench.paint(rounded(x, 0, 0.08, 0.6), parse("3C3F42"))
    return bench


def sketch_flower_bed(rng: np.random.Generator) -> Sketch:
    """A round or long bed of flowers in a stone rim."""
    length, width = (2.2, 2.2) if rng.random() < 0.5 else (rng.uniform(2.5, 4.5), 1.2)
    bed = Sketch(height=0.35, round_m=0.1, grain=30)
    bed.body(rounded(0, 0, length, width, width * 0.45, steps=8), parse("B5AFA4"), 120)
    bed.paint(rounded(0, 0, length - 0.3, width - 0.3, width * 0.4, steps=8), parse("4F6B38"), 140)
    colour = pick(FLOWERS, rng)
    for _ in range(round(length * width * 9)):
        x, y = rng.uniform(-0.5, 0.5) * (length - 0.6), rng.uniform(-0.5, 0.5) * (width - 0.5)
        if length > 2.2 or math.hypot(x, y) < 0.85:
            bloom = colour if rng.random() < 0.75 else parse("6F9148")
            bed.paint(
                ellipse(x, y, 0.11, 0.11, steps=7), tone(bloom, int(rng.integers(-15, 15))), int(rng.integers(170, 255))
            )
    return bed


def sketch_parasol(rng: np.random.Generator) -> Sketch:
    """A café's parasol with two colours of cloth."""
    first, second = pick(CLOTH, rng), parse("F4EFE4")
    parasol = Sketch(height=2.3, round_m=0.2)
    radius = rng.uniform(1.1, 1.5)
    parasol.body(ellipse(0, 0, radius, radius, steps=8), first, 110)
    for k in range(8):
        a, b = k * math.pi / 4, (k + 1) * math.pi / 4
        wedge = np.array(
            [(0.0, 0.0), (radius * math.cos(a), radius * math.sin(a)), (radius * math.cos(b), radius * math.sin(b))]
        )
        parasol.paint(wedge, tone(first if k % 2 else second, -3 * (k % 3)))
    for share in (0.75, 0.5, 0.25):
        parasol.reliefs.append((ellipse(0, 0, radius * share, radius * share, steps=8), round(110 + 140 * (1 - share))))
    parasol.paint(ellipse(0, 0, 0.09, 0.09, steps=8), parse("6B5B45"))
    return parasol


def sketch_deck(length: float, width: float, rng: np.random.Generator) -> Sketch:
    """A bridge for cars along x: two lanes between railings."""
    asphalt: Bgr = pick("62656A 6A6B6C 5A5D63", rng)
    deck = Sketch(height=0.9, round_m=0.15, gloss=0.7, grain=16)
    deck.body(rounded(0, 0, length, width), parse("B9B6AE"), 255)
    deck.paint(rounded(0, 0, length, width - 0.9), asphalt, 120)
    for at in np.arange(-length / 2, length / 2, 6.0):
        deck.paint(rounded(at, 0, 3.0, 0.14), parse("DDDCD4"))
    for side in (-1, 1):
        deck.paint(
            stroke((-length / 2, side * (width / 2 - 0.85)), (length / 2, side * (width / 2 - 0.85)), 0.14),
            parse("DDDCD4"),
        )
        deck.paint(
            stroke((-length / 2, side * (width / 2 - 0.12)), (length / 2, side * (width / 2 - 0.12)), 0.1),
            parse("7E8489"),
        )
    return deck
