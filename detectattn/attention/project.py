"""Bring what lies in the network's input onto the picture: one frame of reference for every map.

Three frames meet here. *Shares* run from 0 to 1 over the network's input, padding and all; *picture pixels* are those
of the upright picture; *map pixels* are picture pixels again, scaled down until the map is about as fine as what the
network saw. All are continuous: a pixel or cell ``i`` reaches from ``i`` to ``i + 1``, its centre lies at ``i + 0.5``.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectattn.types import F32, Resize

MAX_SIDE_PX = 640


@dataclass(frozen=True, slots=True)
class MapFrame:
    """Where the pixels of a picture's maps lie in the network's input.

    A point ``n`` of the input, in its pixels, lies at ``(n - offset_xy) * scale_xy`` in the map.

    Attributes:
        size_hw: Height and width of the maps.
        scale_xy: Map pixels per pixel of the network's input, along x and y.
        offset_xy: Where the picture begins in the network's input, in its pixels.
        net_hw: Height and width of the network's input.
    """

    size_hw: tuple[int, int]
    scale_xy: tuple[float, float]
    offset_xy: tuple[float, float]
    net_hw: tuple[int, int]

    def cell_xy(self, grid_hw: tuple[int, int]) -> tuple[float, float]:
        """Width and height in map pixels of a cell of a feature map that covers the network's input."""
        return (
            self.net_hw[1] / grid_hw[1] * self.scale_xy[0],
            self.net_hw[0] / grid_hw[0] * self.scale_xy[1],
        )

    def to_map(self, shares: F32) -> F32:
        """Points f32[N, 2] from shares of the network's input to map pixels."""
        net_xy = shares * np.array(self.net_hw[::-1])
        points: F32 = ((net_xy - self.offset_xy) * self.scale_xy).astype(np.float32)
        return points


def plan_maps(resize: Resize) -> MapFrame:
    """The frame of a picture's maps: at most 640 px long, and no finer than the network's input or the picture."""
    height, width = resize.image_hw
    long_side = min(MAX_SIDE_PX, max(resize.net_hw), max(height, width))
    shrink = long_side / max(height, width)
    size_hw = (max(round(height * shrink), 1), max(round(width * shrink), 1))
    scale_xy = (size_hw[1] / width / resize.scale_xy[0], size_hw[0] / height / resize.scale_xy[1])
    return MapFrame(size_hw, scale_xy, resize.offset_xy, resize.net_hw)


def frame_of_grid(grid_hw: tuple[int, int], net_hw: tuple[int, int]) -> MapFrame:
    """A feature map's own cells as the pixels of a map, so that points can be laid down in them."""
    scale_xy = (grid_hw[1] / net_hw[1], grid_hw[0] / net_hw[0])
    return MapFrame(grid_hw, scale_xy, (0.0, 0.0), net_hw)


def project_grid(grid: F32, frame: MapFrame) -> F32:
    """Values of a feature map's cells, interpolated linearly between the cells' centres.

    Args:
        grid: f32[h, w], row-major cells that cover the network's input, padding included.
        frame: Of the map.

    Returns:
        f32[H, W] of the map; the padding is cut off. Beyond the outermost centres the outermost values go on.
    """
    rows = _interpolate(frame.size_hw[0], grid.shape[0], frame.net_hw[0], frame.scale_xy[1], frame.offset_xy[1])
    columns = _interpolate(frame.size_hw[1], grid.shape[1], frame.net_hw[1], frame.scale_xy[0], frame.offset_xy[0])
    values: F32 = rows @ grid.astype(np.float32, copy=False) @ columns.T
    return values


def _interpolate(size: int, cells: int, net_px: int, scale: float, offset_px: float) -> F32:
    """Weights f32[size, cells] of the cells in each pixel of a map's axis; each row sums to 1."""
    net = (np.arange(size) + 0.5) / scale + offset_px
    place = np.clip(net * cells / net_px - 0.5, 0, cells - 1)
    hat = np.maximum(1 - np.abs(place[:, None] - np.arange(cells)), 0)
    weights: F32 = hat.astype(np.float32)
    return weights


def splat_points(shares: F32, weights: F32, frame: MapFrame) -> F32:
    """Weights laid down where their points lie, each divided among the four nearest pixels as bilinear sampling does.

    Args:
        shares: f32[N, 2], x and y as shares of the network's input.
        weights: f32[N].
        frame: Of the map.

    Returns:
        f32[H, W]; what falls outside the picture is lost, what falls on its outermost half pixel stays in it.
    """
    height, width = frame.size_hw
    points = frame.to_map(shares)
    inside = ((points >= 0) & (points <= (width, height))).all(axis=1)
    place, weight = points[inside] - 0.5, weights[inside]
    corner = np.floor(place).astype(np.int64)
    part = place - corner
    values = np.zeros(height * width)
    for right, below in ((0, 0), (1, 0), (0, 1), (1, 1)):
        share = np.abs(1 - right - part[:, 0]) * np.abs(1 - below - part[:, 1])
        column, row = np.clip(corner[:, 0] + right, 0, width - 1), np.clip(corner[:, 1] + below, 0, height - 1)
        values += np.bincount(row * width + column, weight * share, height * width)
    return values.reshape(height, width).astype(np.float32)


def blur(values: F32, sigma_xy: tuple[float, float]) -> F32:
    """A map f32[h, w] smoothed by a Gaussian of that standard deviation in pixels; its sum stays as it is."""
    smooth: F32 = np.asarray(
        cv2.GaussianBlur(values, (0, 0), max(sigma_xy[0], 1e-3), None, max(sigma_xy[1], 1e-3), cv2.BORDER_REFLECT)
    )
    return smooth


def to_shares(values: F32) -> F32:
    """A map f32[h, w] scaled so that its pixels sum to 1; what is negative or no number counts as nothing.

    A map that is nothing anywhere stays zero.
    """
    kept = np.maximum(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0), 0)
    total = float(kept.sum(dtype=np.float64))
    shares: F32 = (kept / total if total > 0 else kept).astype(np.float32)
    return shares


def points_to_image(shares: F32, resize: Resize) -> F32:
    """Points f32[N, 2] from shares of the network's input to pixels of the upright picture; they may lie outside it."""
    net_xy = shares * np.array(resize.net_hw[::-1])
    points: F32 = ((net_xy - resize.offset_xy) / resize.scale_xy).astype(np.float32)
    return points


def cells_in_box(xyxy: F32, resize: Resize, grid_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Cells of a feature map whose centres lie in a box; at least the one in which the box's own centre lies.

    Args:
        xyxy: f32[4], in pixels of the upright picture.
        resize: How the picture was fitted into the network's input.
        grid_hw: Height and width of the feature map.

    Returns:
        bool[h, w].
    """
    height, width = grid_hw
    per_px = np.array([width / resize.net_hw[1], height / resize.net_hw[0]] * 2)
    left, top, right, bottom = resize.to_net(xyxy[None])[0] * per_px
    columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    inside: NDArray[np.bool_] = ((rows >= top) & (rows < bottom))[:, None] & ((columns >= left) & (columns < right))
    middle_row, middle_column = int((top + bottom) / 2), int((left + right) / 2)
    inside[np.clip(middle_row, 0, height - 1), np.clip(middle_column, 0, width - 1)] = True
    return inside
