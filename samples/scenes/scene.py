"""Draw a whole scene from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas
from .lens import apply_lens, choose_lens
from .light import apply_light, choose_light
from .painting import paint_layout
from .parking import lay_parking
from .pixels import U8
from .streets import lay_street
from .view import View

CLASS_NAMES: tuple[str, ...] = ("person", "bicycle", "car", "bus", "truck", "traffic light")

TRAIN_SEEDS = range(1_000_000)
VAL_SEEDS = range(1_000_000, 1_100_000)
SAMPLE_SEEDS = range(2_000_000, 2_100_000)


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture with its ground truth.

    Attributes:
        bgr: u8[H, W, 3].
        xyxy: f32[N, 4], boxes in pixels, tight around what of each object can be seen (modal boxes, as COCO's); an
            object of which less than 35 % of its pixels show, hidden or cut off by the picture's edge, has none.
            A traffic light is its head; a rider and the bicycle are two objects.
        class_id: i32[N], indices into ``CLASS_NAMES``.
    """

    bgr: U8
    xyxy: NDArray[np.float32]
    class_id: NDArray[np.int32]


def draw_scene(seed: int, hw: tuple[int, int] = (640, 640)) -> Scene:
    """The scene of a seed; the same seed and size give the same bytes.

    Args:
        seed: Take it from ``TRAIN_SEEDS``, ``VAL_SEEDS`` or ``SAMPLE_SEEDS``, which share none.
        hw: Height and width in pixels. The size sets the resolution: the shorter side spans the same ground.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    span_m = 17.0 * 2.2 ** rng.uniform(0, 1)
    view = View(hw, min(hw) / span_m, rng.uniform(0, 2 * math.pi), rng.uniform(-14, 14), rng.uniform(-4, 4))
    light = choose_light(rng)
    kind = rng.random()
    layout, ground = lay_parking(view, rng) if kind < 0.13 else lay_street(view, rng, junction=kind < 0.72)
    canvas = Canvas.of_ground(ground.finish(), light.sun)
    seen = paint_layout(canvas, layout, view)
    bgr = apply_lens(apply_light(canvas, light), choose_lens(rng, dark=light.hour == "night"), rng)
    return Scene(bgr, seen.xyxy, seen.class_id)
