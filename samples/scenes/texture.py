"""Grain of surfaces: noise that repeats, made once from a fixed seed with integers only."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import U8, blur

TILE = 1024


@cache
def noise_tile(cell_px: int) -> U8:
    """Smooth noise around 128 with grains of about ``cell_px``, u8[TILE, TILE], that continues over its edges."""
    rng = np.random.Generator(np.random.PCG64(9000 + cell_px))
    cells = TILE // cell_px
    coarse = rng.integers(0, 256, (cells, cells), np.uint8)
    if cell_px == 1:
        return coarse
    wrapped = np.pad(coarse, 2, mode="wrap")
    large = cv2.resize(wrapped, None, fx=cell_px, fy=cell_px, interpolation=cv2.INTER_LINEAR_EXACT)
    soft = blur(np.asarray(large, np.uint8), cell_px // 2)
    edge = 2 * cell_px
    return np.ascontiguousarray(soft[edge:-edge, edge:-edge])


def crop_noise(hw: tuple[int, int], cell_px: int, rng: np.random.Generator) -> U8:
    """Noise of any size from a random place of the tile, u8[h, w]."""
    tile = noise_tile(cell_px)
    dy, dx = (int(v) for v in rng.integers(0, TILE, 2))
    if dy + hw[0] <= TILE and dx + hw[1] <= TILE:
        return tile[dy : dy + hw[0], dx : dx + hw[1]]
    rows, columns = (np.arange(hw[0]) + dy) % TILE, (np.arange(hw[1]) + dx) % TILE
    return tile[rows[:, None], columns[None, :]]


def crop_tile(hw: tuple[int, int], cell_px: int) -> NDArray[np.int16]:
    """Noise around 0 from the tile's corner, i16[h, w], the same at every call."""
    tile = noise_tile(cell_px)
    rows, columns = np.arange(hw[0]) % TILE, np.arange(hw[1]) % TILE
    return tile[rows[:, None], columns[None, :]].astype(np.int16) - 128
