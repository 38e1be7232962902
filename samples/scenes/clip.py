"""A street that moves: a queue that waits for people to cross, then drives off below trees and a bridge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .canvas import Canvas, Sun
from .layout import TRAFFIC_LIGHT, Layout
from .lens import Lens, apply_lens
from .light import Light, apply_light
from .painting import Seen, paint_layout
from .pixels import U8
from .signals import AMBER, GREEN, RED, sketch_traffic_light
from .stage import Stage, build_stage
from .view import View

FPS = 20
SECONDS = 10
SIZE_HW = (384, 640)
# Kept apart from the seeds of still scenes.
CLIP_SEED = 3_000_000

_GREEN_S, _AMBER_S, _RED_S = 3.4, 8.6, 9.6
_LIGHT = Light("noon", Sun((0.78, 0.63), 0.75, 0.035), (134, 118, 110), (122, 130, 137), 136)


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """One frame with its ground truth.

    Attributes:
        index: From 0.
        time_s: From the clip's start.
        bgr: u8[H, W, 3].
        seen: Boxes and classes; ``number`` stays with an object through the clip.
    """

    index: int
    time_s: float
    bgr: U8
    seen: Seen


def choose_lit(time_s: float) -> int:
    """What the drivers' lights show: red, green, then amber and red again."""
    if time_s < _GREEN_S or time_s >= _RED_S:
        return RED
    return GREEN if time_s < _AMBER_S else AMBER


def iter_clip(seed: int = CLIP_SEED, frames: int = FPS * SECONDS) -> Iterator[ClipFrame]:
    """Draw the clip's frames, one after the other."""
    rng = np.random.Generator(np.random.PCG64(seed))
    view = View(SIZE_HW, SIZE_HW[0] / 24.5, -0.1, 1.0, 0.0)
    stage = build_stage(view, rng, lambda time_s: choose_lit(time_s) != GREEN, SECONDS)
    ground = stage.ground.finish()
    for index in range(frames):
        time_s = index / FPS
        canvas = Canvas.of_ground(ground.copy(), _LIGHT.sun)
        seen = paint_layout(canvas, _arrange(stage, time_s), view)
        grain = np.random.Generator(np.random.PCG64([seed, index]))
        yield ClipFrame(index, time_s, apply_lens(apply_light(canvas, _LIGHT), Lens(noise=1.0), grain), seen)


def _arrange(stage: Stage, time_s: float) -> Layout:
    """What stands where at a time; the order of objects never changes, so a number stays with its object."""
    still = stage.layout
    lit = sketch_traffic_light(choose_lit(time_s))
    return replace(
        still,
        low=[*still.low, *(actor(time_s) for actor in stage.low)],
        decks=[*still.decks, *(actor(time_s) for actor in stage.high)],
        high=[replace(item, sketch=lit) if item.class_id == TRAFFIC_LIGHT else item for item in still.high],
    )
