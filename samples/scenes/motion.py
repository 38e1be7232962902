"""Traffic that follows its leader: the Intelligent Driver Model (Treiber, Hennecke, Helbing 2000)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

STEP_S = 0.05


@dataclass(slots=True)
class Mover:
    """Something that drives along a lane.

    Attributes:
        front: Place of its nose along the direction of travel, in metres.
        length: In metres.
        speed: In metres a second.
        cruise: The speed that it wants.
        power: Its strongest acceleration, in metres a square second.
    """

    front: float
    length: float
    speed: float
    cruise: float
    power: float


def advance_lane(lane: list[Mover], stop: float | None) -> None:
    """Move a lane on by ``STEP_S``.

    Args:
        lane: From the first to the last.
        stop: The stop line, or None where nothing holds the lane up.
    """
    brake, gap_m, headway_s = 3.0, 1.7, 1.0
    leader: tuple[float, float] | None = None
    for mover in lane:
        ahead = [leader] if leader else []
        if stop is not None and mover.front <= stop:
            # A little short of the line, so that nobody creeps over it.
            ahead.append((stop + gap_m - 0.4, 0.0))
        push = 1 - (mover.speed / mover.cruise) ** 4
        if ahead:
            rear, speed = min(ahead)
            closing = mover.speed * (mover.speed - speed) / (2 * math.sqrt(mover.power * brake))
            wished = gap_m + max(0.0, mover.speed * headway_s + closing)
            push -= (wished / max(rear - mover.front, 0.3)) ** 2
        mover.speed = max(0.0, mover.speed + max(-7.0, mover.power * push) * STEP_S)
        mover.front += mover.speed * STEP_S
        leader = (mover.front - mover.length, mover.speed)


def drive(lanes: list[list[Mover]], held: Callable[[float], bool], stop: float, steps: int) -> list[list[list[float]]]:
    """Where all noses are after each step, [step][lane][mover]; ``held`` says at which time the light stops them."""
    places = []
    for step in range(steps):
        places.append([[mover.front for mover in lane] for lane in lanes])
        for lane in lanes:
            advance_lane(lane, stop if held(step * STEP_S) else None)
    return places
