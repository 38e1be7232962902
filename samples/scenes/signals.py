"""Traffic lights and lamp posts seen from above."""

from __future__ import annotations

from .colours import parse, tone
from .outlines import ellipse, rounded, stroke
from .sketch import Lamp, Sketch

RED, AMBER, GREEN = 0, 1, 2
_LIT = (parse("FF3B30"), parse("FFB020"), parse("2FE07A"))
_DARK = (parse("4A1512"), parse("4A3710"), parse("0F3A22"))


def sketch_traffic_light(lit: int) -> Sketch:
    """A three-lamp head that lies in view, lamps along x; the box in the ground truth goes around this head.

    Args:
        lit: ``RED``, ``AMBER`` or ``GREEN``.
    """
    head = Sketch(height=0.5, round_m=0.1)
    head.body(rounded(0, 0, 1.62, 0.72, 0.12), parse("E9E4D2"), 120)
    head.paint(rounded(0, 0, 1.5, 0.6, 0.1), parse("16191C"), 200)
    for k in range(3):
        x = 0.46 - 0.46 * k
        colour = _LIT[k] if k == lit else _DARK[k]
        head.paint(ellipse(x, 0, 0.2, 0.2), parse("08090A"))
        head.paint(ellipse(x, 0, 0.165, 0.165), colour)
        head.paint(ellipse(x + 0.04, -0.05, 0.06, 0.05, steps=10), tone(colour, 45 if k == lit else 14))
    head.lamps.append(Lamp(0.46 - 0.46 * lit, 0.0, 0.17, _LIT[lit], always=True))
    return head


def sketch_arm(length: float) -> Sketch:
    """A pole's foot at the origin with an arm of ``length`` metres along x."""
    arm = Sketch(height=0.35, round_m=0.08)
    arm.body(ellipse(0, 0, 0.22, 0.22), parse("5B6166"), 90)
    arm.body(stroke((0.0, 0.0), (length, 0.0), 0.13), parse("7C8388"), 200)
    arm.paint(ellipse(0, 0, 0.13, 0.13), parse("8B9297"), 240)
    return arm


def sketch_lamp_post(reach: float) -> Sketch:
    """A street lamp whose arm reaches over the road, along x."""
    post = Sketch(height=0.3, round_m=0.08)
    post.body(ellipse(0, 0, 0.2, 0.2), parse("4E5459"), 90)
    post.body(stroke((0.0, 0.0), (reach, 0.0), 0.12), parse("8C9398"), 200)
    post.body(rounded(reach, 0, 0.8, 0.34, 0.14), parse("A8AEB2"), 230)
    post.paint(rounded(reach, 0, 0.5, 0.18, 0.08), parse("D9DCDC"))
    post.lamps.append(Lamp(reach, 0.0, 0.3, parse("FFD9A0"), beam=-7.5))
    return post
