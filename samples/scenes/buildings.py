"""Roofs seen from above."""

from __future__ import annotations

import numpy as np

from .colours import Bgr, parse, pick, tone
from .outlines import ellipse, rounded, stroke
from .sketch import Sketch

TILES = "A4563F 8F4A3B B0654A 7C4F45 6E5A52 95604A"
FLAT = "A8A59E B9B6AE 8F9194 C7C2B6 9B9488 7E8388"


def sketch_building(length: float, depth: float, rng: np.random.Generator) -> Sketch:
    """A house of ``length`` by ``depth`` metres: a tiled ridge roof or a flat one with what stands on it."""
    house = Sketch(height=float(rng.uniform(4.0, 7.5)), round_m=0.35, gloss=0.8, grain=14)
    if rng.random() < 0.5 and depth < 14:
        _draw_ridge_roof(house, length, depth, pick(TILES, rng), rng)
    else:
        _draw_flat_roof(house, length, depth, pick(FLAT, rng), rng)
    return house


def _draw_ridge_roof(house: Sketch, length: float, depth: float, tile: Bgr, rng: np.random.Generator) -> None:
    x, y = length / 2, depth / 2
    house.body(rounded(0, 0, length, depth), tone(tile, -20), 120)
    for k in range(8):
        share = k / 8
        house.paint(rounded(0, 0, length - 0.3, (depth - 0.3) * (1 - share)), tile, round(120 + 135 * share))
    for side in (-1, 1):
        for k in range(1, int(y / 0.42)):
            house.paint(stroke((-x + 0.15, side * k * 0.42), (x - 0.15, side * k * 0.42), 0.07), tone(tile, -14))
    house.paint(stroke((-x, 0), (x, 0), 0.28), tone(tile, -22))
    for _ in range(int(rng.integers(1, 4))):
        cx, cy = rng.uniform(-0.4, 0.4) * length, float(rng.choice((-1, 1))) * rng.uniform(0.2, 0.32) * depth
        if rng.random() < 0.5:
            house.paint(rounded(cx, cy, 0.9, 0.9), parse("7A5548"), 255)
            house.paint(rounded(cx, cy, 0.45, 0.45), parse("241E1C"))
        else:
            house.paint(rounded(cx, cy, 1.0, 1.3), tone(tile, -45))
            house.paint(rounded(cx, cy, 0.8, 1.1), parse("6F8796"))


def _draw_flat_roof(house: Sketch, length: float, depth: float, felt: Bgr, rng: np.random.Generator) -> None:
    house.body(rounded(0, 0, length, depth), tone(felt, 25), 255)
    house.paint(rounded(0, 0, length - 0.7, depth - 0.7), felt, 110)
    x, y = length / 2 - 1.2, depth / 2 - 1.2
    for at in np.arange(-x, x, 2.4):
        house.paint(stroke((at, -depth / 2 + 0.35), (at, depth / 2 - 0.35), 0.06), tone(felt, -9))
    for _ in range(int(rng.integers(2, 6))):
        cx, cy = rng.uniform(-x, x), rng.uniform(-y, y)
        kind = rng.random()
        if kind < 0.45:
            house.paint(rounded(cx, cy, 1.5, 1.1, 0.05), parse("C9CCCD"), 230)
            house.paint(ellipse(cx, cy, 0.42, 0.42), parse("3C4044"))
            house.paint(stroke((cx - 0.4, cy), (cx + 0.4, cy), 0.06), parse("8A8F92"))
        elif kind < 0.75:
            house.paint(rounded(cx, cy, 1.8, 1.8, 0.05), tone(felt, 30), 200)
            house.paint(rounded(cx, cy, 1.5, 1.5, 0.05), parse("7FA0B2"))
        else:
            for k in range(3):
                house.paint(rounded(cx + 1.15 * k, cy, 1.05, 1.9), parse("22304F"), 180)
                house.paint(stroke((cx + 1.15 * k, cy - 0.95), (cx + 1.15 * k, cy + 0.95), 0.05), parse("5A6C93"))
