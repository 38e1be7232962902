"""Light on a finished canvas: the hour of the day, shadows, lamps at night."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, Sun
from .pixels import U8, blur
from .sketch import Lamp, Pose, fill_px

_SHOULDER = 178
HOURS = ("noon", "evening", "overcast", "night")
_SHARES = (0.42, 0.22, 0.2, 0.16)


@dataclass(frozen=True, slots=True)
class Light:
    """A lighting.

    Attributes:
        hour: One of ``HOURS``.
        sun: Where shadows fall.
        shade_bgr: What is left of each channel in full shadow, of 255.
        gain_bgr: What each channel is multiplied by, of 128.
        contrast: Around middle grey, of 128.
    """

    hour: str
    sun: Sun
    shade_bgr: tuple[int, int, int]
    gain_bgr: tuple[int, int, int]
    contrast: int


def choose_light(rng: np.random.Generator, hour: str | None = None) -> Light:
    """A lighting of a random hour, or of the given one, with a random direction of the sun."""
    picked = HOURS[int(rng.choice(4, p=_SHARES))]
    hour = hour or picked
    angle = rng.uniform(0, 2 * math.pi)
    direction = (math.cos(angle), math.sin(angle))
    length, warm = rng.uniform(0, 1), rng.uniform(0, 1)
    if hour == "noon":
        return Light(hour, Sun(direction, 0.35 + 0.5 * length, 0.03), (132, 116, 108), (126, 131, 134), 138)
    if hour == "evening":
        gain = (round(118 - 18 * warm), round(124 - 3 * warm), round(139 + 6 * warm))
        return Light(hour, Sun(direction, 1.1 + 0.7 * length, 0.05), (146, 118, 104), gain, 134)
    if hour == "overcast":
        return Light(hour, Sun(direction, 0.12, 0.22), (178, 172, 168), (126, 121, 117), 116)
    return Light(hour, Sun(direction, 0.0, 0.1), (120, 120, 120), (128, 128, 128), 124)


def apply_light(canvas: Canvas, light: Light) -> U8:
    """The lit picture, a new u8[H, W, 3]."""
    index = np.arange(256)
    factors = cv2.merge(
        [cv2.LUT(canvas.shadow, (255 - index * (255 - left) // 255).astype(np.uint8)) for left in light.shade_bgr]
    )
    bgr = ((canvas.bgr * (factors.astype(np.uint16) + 1)) >> 8).astype(np.uint8)
    shining = _find_shining(canvas)
    if light.hour == "night":
        bgr = _apply_lamps(bgr, shining)
    curves = [[_expose(value, gain, light.contrast) for gain in light.gain_bgr] for value in range(256)]
    bgr = np.asarray(cv2.LUT(bgr, np.array(curves, np.uint8)[None]), np.uint8)
    for lamp, pose in shining:
        if lamp.always:
            _draw_bulb(bgr, lamp, pose)
    return bgr


def _expose(value: int, gain: int, contrast: int) -> int:
    """A channel's curve: contrast around middle grey, with a soft shoulder so that white paint keeps its shading."""
    raised = 112 + (value * gain / 128 - 112) * contrast / 128
    if raised > _SHOULDER:
        raised = _SHOULDER + (255 - _SHOULDER) * (1 - math.exp(-(raised - _SHOULDER) / 68))
    return max(0, min(255, round(raised)))


def _find_shining(canvas: Canvas) -> list[tuple[Lamp, Pose]]:
    """The lamps that nothing hides, those beyond the picture's edges included."""
    shining = []
    for lamp, pose, owner in canvas.lamps:
        # Looked up a little towards the object's middle, since lamps sit on its outline.
        x, y = (math.floor(v) for v in pose.to_px(np.array([(lamp.x * 0.92, lamp.y * 0.85)]))[0])
        inside = 0 <= x < canvas.hw[1] and 0 <= y < canvas.hw[0]
        if not inside or canvas.owner[y, x] == owner:
            shining.append((lamp, pose))
    return shining


def _draw_bulb(bgr: U8, lamp: Lamp, pose: Pose) -> None:
    (x, y), radius = _place(lamp, pose), max(1.0, lamp.radius * pose.ppm)
    centre = (round((x - 0.5) * 16), round((y - 0.5) * 16))
    cv2.circle(bgr, centre, round(radius * 16), lamp.bgr, -1, cv2.LINE_AA, 4)


def _place(lamp: Lamp, pose: Pose) -> tuple[float, float]:
    x, y = pose.to_px(np.array([(lamp.x, lamp.y)]))[0]
    return float(x), float(y)


_COARSE = 4


def _apply_lamps(bgr: U8, lamps: list[tuple[Lamp, Pose]]) -> U8:
    """Night: little light of its own, pools below street lamps, beams before headlights, a glow around each."""
    height, width = bgr.shape[:2]
    small = (-(-height // _COARSE), -(-width // _COARSE))
    white, warm = np.zeros(small, np.uint8), np.zeros(small, np.uint8)
    glow = np.zeros((*small, 3), np.uint8)
    for share, level in ((1.0, 50), (0.75, 95), (0.5, 160), (0.3, 230)):
        for lamp, pose in lamps:
            if lamp.beam > 0:
                _draw_beam(white, lamp, pose, lamp.beam * share, level)
            elif lamp.beam < 0:
                centre = _fixed(*_place(lamp, pose))
                cv2.circle(warm, centre, round(-lamp.beam * share * pose.ppm / _COARSE * 16), level, -1, cv2.LINE_AA, 4)
    ppm = lamps[0][1].ppm if lamps else 20.0
    white, warm = _soften(white, 0.5 * ppm / _COARSE), _soften(warm, 1.6 * ppm / _COARSE)
    for lamp, pose in lamps:
        radius = max(1.0, 2.6 * lamp.radius * pose.ppm / _COARSE)
        cv2.circle(glow, _fixed(*_place(lamp, pose)), round(radius * 16), lamp.bgr, -1, cv2.LINE_AA, 4)
    glow = _soften(glow, 0.35 * ppm / _COARSE)
    ambient, beam, pool = (
        np.array([62, 50, 44], np.uint16),
        np.array([150, 175, 185], np.uint16),
        np.array([88, 138, 170], np.uint16),
    )
    lit: NDArray[np.uint16] = ambient + (white[..., None] * beam >> 8) + (warm[..., None] * pool >> 8)
    gain = _enlarge(np.minimum(lit, 255).astype(np.uint8), (width, height))
    out = np.minimum(bgr.astype(np.uint16) * gain // 150, 255).astype(np.uint8)
    halo = _enlarge((glow.astype(np.uint16) * 150 >> 8).astype(np.uint8), (width, height))
    out = np.asarray(cv2.add(out, halo), np.uint8)
    for lamp, pose in lamps:
        _draw_bulb(out, lamp, pose)
    return out


def _draw_beam(target: U8, lamp: Lamp, pose: Pose, length: float, level: int) -> None:
    near, far = 0.12, 0.12 + 0.24 * length
    outline = np.array(
        [
            (lamp.x, lamp.y - near),
            (lamp.x + length, lamp.y - far),
            (lamp.x + length * 1.06, lamp.y),
            (lamp.x + length, lamp.y + far),
            (lamp.x, lamp.y + near),
        ]
    )
    fill_px(target, pose.to_px(outline) / _COARSE, level)


def _fixed(x: float, y: float) -> tuple[int, int]:
    return round((x / _COARSE - 0.5) * 16), round((y / _COARSE - 0.5) * 16)


def _soften(mask: U8, radius: float) -> U8:
    return blur(mask, max(1, round(radius)))


def _enlarge(small: U8, size_wh: tuple[int, int]) -> U8:
    large = cv2.resize(small, None, fx=_COARSE, fy=_COARSE, interpolation=cv2.INTER_LINEAR_EXACT)
    return np.asarray(large[: size_wh[1], : size_wh[0]], np.uint8)
