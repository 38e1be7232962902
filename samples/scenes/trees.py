"""Trees seen from above: soft crowns that hide what stands below them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from .colours import Bgr, pick
from .pixels import U8, blur
from .sketch import Pose, Sprite, shade
from .texture import crop_noise

GREENS = "4F7A3A 5C8A3F 44703C 6B8F45 3E6636 789A4A"
RARE = "B98A35 C4702F 8FA63F D9A3B4 7A4A3A"


@dataclass(frozen=True, slots=True)
class Tree:
    """A crown: place in metres, radius, height, colour, and the seed of its shape."""

    x: float
    y: float
    radius: float
    height: float
    bgr: Bgr
    seed: int


def choose_tree(x: float, y: float, radius: float, rng: np.random.Generator) -> Tree:
    """A tree of a random colour and shape."""
    colour = pick(RARE if rng.random() < 0.14 else GREENS, rng)
    return Tree(x, y, radius, radius * rng.uniform(1.2, 1.8), colour, int(rng.integers(2**31)))


def render_tree(tree: Tree, pose: Pose, sun_xy: tuple[float, float]) -> Sprite:
    """The crown's pixels; may reach beyond the picture."""
    rng = np.random.Generator(np.random.PCG64(tree.seed))
    radius = tree.radius * pose.ppm
    half = math.ceil(radius * 1.25) + 3
    crown = _draw_lobes(half, radius, rng)
    leaf = crop_noise(crown.shape, 4 if pose.ppm > 24 else 2, rng).astype(np.int16) - 128
    twig = crop_noise(crown.shape, 16 if pose.ppm > 24 else 8, rng).astype(np.int16) - 128
    height = crown.astype(np.int16)
    rough = height + (leaf * 5 >> 3) + (twig * 3 >> 3)
    alpha = np.clip((rough - 66) * 6, 0, 252).astype(np.uint8)
    alpha[crown == 0] = 0
    step = max(1, round(0.1 * pose.ppm))
    dx, dy = round(sun_xy[0] * step), round(sun_xy[1] * step)
    bumps = np.clip(rough, 0, 255)
    slope = np.roll(bumps, (-dy, -dx), (0, 1)) - np.roll(bumps, (dy, dx), (0, 1))
    wide = np.roll(height, (-3 * dy, -3 * dx), (0, 1)) - np.roll(height, (3 * dy, 3 * dx), (0, 1))
    light = (slope * 5 >> 4) + (wide >> 2) + ((rough - 175) * 3 >> 3)
    base = np.empty((*crown.shape, 3), np.uint8)
    base[:] = tree.bgr
    # Some twigs are younger and yellower.
    base[..., 1:] = np.clip(base[..., 1:] + (twig >> 2)[..., None], 0, 255)
    bgr = shade(base, np.clip(light, -96, 80))
    alpha = blur(alpha, 1)
    corner = (round(pose.x) - half, round(pose.y) - half)
    return Sprite(bgr, alpha, corner, int(np.count_nonzero(alpha)))


def _draw_lobes(half: int, radius: float, rng: np.random.Generator) -> U8:
    crown = np.zeros((2 * half, 2 * half), np.uint8)
    middle = (round(half * 16), round(half * 16))
    cv2.circle(crown, middle, round(0.72 * radius * 16), 96, -1, cv2.LINE_8, 4)
    lobes = []
    for _ in range(34):
        distance = math.sqrt(rng.random()) * 0.8
        size = rng.uniform(0.17, 0.32) * (1.15 - 0.4 * distance)
        level = 205 - 100 * distance + rng.uniform(-20, 20)
        lobes.append((level, distance, rng.uniform(0, 2 * math.pi), size))
    for level, distance, angle, size in sorted(lobes):
        x, y = half + math.cos(angle) * distance * radius, half + math.sin(angle) * distance * radius
        for share, rise in ((1.0, 0), (0.7, 18), (0.4, 32)):
            centre, reach = (round(x * 16), round(y * 16)), round(size * share * radius * 16)
            cv2.circle(crown, centre, reach, min(255, round(level + rise)), -1, cv2.LINE_8, 4)
    return blur(crown, max(1, round(radius * 0.04)))
