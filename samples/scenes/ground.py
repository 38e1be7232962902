"""The ground: surfaces with their grain, kerbs, slabs and painted marks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .colours import Bgr, parse, pick, tone
from .outlines import F64, Point, ellipse, stroke
from .pixels import U8, blur
from .sketch import fill_px
from .texture import crop_noise
from .view import View

_SHIFT = 4
# The wear map is this many times smaller than the picture.
_COARSE = 4


@dataclass(frozen=True, slots=True)
class Surface:
    """A material: its colours, and how strong its grain is, fine (1 px), middle (0.15 m) and coarse (1.5 m)."""

    index: int
    colours: str
    fine: int
    middle: int
    coarse: int


ASPHALT = Surface(0, "5A5C5F 63656A 6C6E70 55585E 747474", 15, 12, 20)
PAVEMENT = Surface(1, "B3ADA3 A9A7A2 BDB6A8 A39E97 B5A99B", 8, 9, 14)
GRASS = Surface(2, "6B8A45 5F7F3E 7A9350 577A44 86914F", 34, 40, 34)
PAVING = Surface(3, "B59A84 A88F80 B8AA98 9C958D C2AE93", 9, 12, 14)
CYCLEWAY = Surface(4, "8E4F46 9A5A4B 4F7A62 86564B", 12, 10, 16)
KERB = Surface(5, "C9C5BC C2BFB8", 6, 6, 6)
SURFACES = (ASPHALT, PAVEMENT, GRASS, PAVING, CYCLEWAY, KERB)


class Ground:
    """A picture of the ground under construction; outlines are in metres of the world."""

    def __init__(self, view: View, base: Surface, rng: np.random.Generator) -> None:
        self.view, self.rng = view, rng
        self.colours: dict[int, Bgr] = {surface.index: pick(surface.colours, rng) for surface in SURFACES}
        self.bgr: U8 = np.empty((*view.hw, 3), np.uint8)
        self.bgr[:] = self.colours[base.index]
        self.material: U8 = np.full(view.hw, base.index, np.uint8)
        self.marks: U8 = np.zeros(view.hw, np.uint8)
        self.yellow: U8 = np.zeros(view.hw, np.uint8)
        self.worn: U8 = np.zeros([-(-side // _COARSE) for side in view.hw], np.uint8)

    def fill(self, outline: F64, surface: Surface) -> None:
        """Cover an area."""
        outline_px = self.view.to_px(outline)
        fill_px(self.bgr, outline_px, self.colours[surface.index])
        fixed = np.rint(outline_px).astype(np.int32)
        cv2.fillPoly(self.material, [fixed], surface.index)

    def edge(self, outline: F64, surface: Surface, width_m: float) -> None:
        """A band along an outline, half of it on each side."""
        fixed = np.rint((self.view.to_px(outline) - 0.5) * 16).astype(np.int32)
        thick = max(1, round(width_m * self.view.ppm))
        cv2.polylines(self.bgr, [fixed], True, self.colours[surface.index], thick, cv2.LINE_AA, _SHIFT)
        cv2.polylines(self.material, [fixed], True, surface.index, thick, cv2.LINE_8, _SHIFT)

    def joints(self, area: tuple[float, float, float, float], step_m: float, surface: Surface, *, brick: bool) -> None:
        """The joints of slabs in an area (x0, y0, x1, y1)."""
        x0, y0, x1, y1 = area
        colour = tone(self.colours[surface.index], -13)
        lines = [((x0, y), (x1, y)) for y in np.arange(y0, y1, step_m)]
        if brick:
            for row, y in enumerate(np.arange(y0, y1, step_m)):
                shift = step_m * (row % 2)
                lines += [((x + shift, y), (x + shift, y + step_m)) for x in np.arange(x0, x1, 2 * step_m)]
        else:
            lines += [((x, y0), (x, y1)) for x in np.arange(x0, x1, step_m)]
        ends = self.view.to_px(np.array(lines, np.float64).reshape(-1, 2)).reshape(-1, 2, 2)
        fixed = np.rint((ends - 0.5) * 16).astype(np.int32)
        cv2.polylines(self.bgr, list(fixed), False, colour, 1, cv2.LINE_AA, _SHIFT)

    def mark(self, outline: F64, *, yellow: bool = False) -> None:
        """Paint a road mark."""
        fill_px(self.yellow if yellow else self.marks, self.view.to_px(outline), 255)

    def wear(self, outline: F64, level: int) -> None:
        """Darken asphalt softly, as wheels and oil do."""
        fill_px(self.worn, self.view.to_px(outline) / _COARSE, level)

    def dashes(self, start: Point, end: Point, width: float, dash: float, gap: float, *, yellow: bool = False) -> None:
        """A broken line; a ``gap`` of 0 makes it solid."""
        if gap == 0:
            self.mark(stroke(start, end, width), yellow=yellow)
            return
        (x0, y0), (x1, y1) = start, end
        length = float(np.hypot(x1 - x0, y1 - y0))
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        for at in np.arange(0.0, length, dash + gap):
            stop = min(at + dash, length)
            self.mark(stroke((x0 + ux * at, y0 + uy * at), (x0 + ux * stop, y0 + uy * stop), width), yellow=yellow)

    def manhole(self, x: float, y: float) -> None:
        """A cast-iron cover."""
        iron = tone(self.colours[ASPHALT.index], -38)
        fill_px(self.bgr, self.view.to_px(ellipse(x, y, 0.42, 0.42)), tone(iron, 24))
        fill_px(self.bgr, self.view.to_px(ellipse(x, y, 0.36, 0.36)), iron)
        for k in (-0.2, 0.0, 0.2):
            bar = stroke((x - 0.24, y + k), (x + 0.24, y + k), 0.07)
            fill_px(self.bgr, self.view.to_px(bar), tone(iron, 18))

    def patch(self, outline: F64, step: int) -> None:
        """A repaired place: the same surface, a shade lighter or darker."""
        fill_px(self.bgr, self.view.to_px(outline), tone(self.colours[ASPHALT.index], step))

    def crack(self, points: F64) -> None:
        """A crack through asphalt, sealed with tar."""
        fixed = np.rint((self.view.to_px(points) - 0.5) * 16).astype(np.int32)
        thick = max(1, round(0.05 * self.view.ppm))
        cv2.polylines(self.bgr, [fixed], False, tone(self.colours[ASPHALT.index], -40), thick, cv2.LINE_AA, _SHIFT)

    def finish(self) -> U8:
        """The picture with worn marks and grain, u8[H, W, 3]."""
        hw, rng = self.view.hw, self.rng
        middle, coarse, fine = (crop_noise(hw, cell, rng) for cell in (4, 32, 1))
        wear = np.clip(np.arange(256) * 2 - 20, 130, 236).astype(np.uint16)
        rough = (fine >> 1) + (middle >> 1)
        for mask, colour in ((self.marks, parse("ECEBE4")), (self.yellow, parse("E2B63C"))):
            painted = np.nonzero(mask)
            cover = ((mask[painted] * wear[rough[painted]]) >> 8)[:, None]
            self.bgr[painted] = (self.bgr[painted] * (256 - cover) + np.array(colour, np.uint16) * cover) >> 8
        grain = np.full(hw, 128 << 7, np.int16)
        for noise, name in ((fine, "fine"), (middle, "middle"), (coarse, "coarse")):
            table = np.zeros(256, np.int16)
            table[: len(SURFACES)] = [getattr(surface, name) // 2 for surface in SURFACES]
            grain += np.asarray(cv2.LUT(self.material, table), np.int16) * (noise.astype(np.int16) - 128)
        grain -= self._spread_wear() * (self.material == ASPHALT.index) * np.int16(9)
        gain = (grain >> 7).astype(np.uint16)[..., None]
        textured: NDArray[np.uint16] = self.bgr * gain
        textured >>= 7
        return np.minimum(textured, 255, out=textured).astype(np.uint8)

    def _spread_wear(self) -> NDArray[np.int16]:
        """The wear at full size, i16[H, W]."""
        soft = blur(self.worn, max(1, round(0.3 * self.view.ppm / _COARSE)))
        large = cv2.resize(soft, None, fx=_COARSE, fy=_COARSE, interpolation=cv2.INTER_LINEAR_EXACT)
        return large[: self.view.hw[0], : self.view.hw[1]].astype(np.int16)
