"""Colours of things, BGR."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

Bgr = tuple[int, int, int]


def parse(rrggbb: str) -> Bgr:
    """``"1B998B"`` as blue, green, red."""
    red, green, blue = bytes.fromhex(rrggbb)
    return blue, green, red


def pick(choices: str, rng: np.random.Generator) -> Bgr:
    """One of several ``RRGGBB``, separated by blanks."""
    names = choices.split()
    return parse(names[int(rng.integers(len(names)))])


def tone(bgr: Bgr, step: int) -> Bgr:
    """A lighter (step above 0) or darker (below) shade; 100 is white, -100 black."""
    if step >= 0:
        return _bgr(v + (255 - v) * step // 100 for v in bgr)
    return _bgr(v * (100 + step) // 100 for v in bgr)


def _bgr(values: Iterable[int]) -> Bgr:
    b, g, r = values
    return b, g, r


CARS = (
    "F4F5F5 EDEEEE E3E5E6 C9CDD0 A9AFB3 7B8186 4A4F54 2B2E31 1B1D20 232A3B 1F3A68 2F5FA3 6FA3C7 A3161E C8282B "
    "7A1220 E1B12C F0C419 2E6B4A 4F7A5A D96B27 8C6E54 D8CDB8 5B3A5E 39888C"
)
CLOTHES = (
    "C43D3D D9534F 2F4B7C 3B6FB6 1E1E24 2D2D34 F2F0EB E8E4DA E9B44C F2C14E 6A994E 386641 7B4B94 A44A7D D68C45 "
    "8D99AE 5C6B73 EF8FA0 4FB0AE 6F4E37"
)
HAIR = "1A1412 2B1D14 3D2817 5A3A22 8A5A2B B98A4A D8B878 8C8C8C 0E0E10"
SKIN = "F1C9A5 E0AC86 C68642 8D5524 5C3A21"
GLASS: Bgr = parse("1C2730")
