"""Put a layout on a canvas, and find what of each object can be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import NOBODY, Canvas
from .layout import SCENERY, Item, Layout
from .sketch import Sprite
from .trees import Tree, render_tree
from .view import View

# Less of an object than this share of its pixels, or a thinner strip, is no ground truth.
MIN_VISIBLE = 0.35
MIN_SIDE_PX = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be seen of a layout's objects.

    Attributes:
        xyxy: f32[N, 4], pixel boxes tight around the visible part.
        class_id: i32[N].
        number: i64[N], the objects' places in the order of painting.
    """

    xyxy: NDArray[np.float32]
    class_id: NDArray[np.int32]
    number: NDArray[np.int64]


def paint_layout(canvas: Canvas, layout: Layout, view: View) -> Seen:
    """Put everything on the canvas, from low to high."""
    classes: list[int] = []
    whole_px: list[int] = []

    def place(items: list[Item]) -> None:
        for item in items:
            owner = NOBODY if item.class_id == SCENERY else len(classes)
            pixels = canvas.place(item.sketch, view.pose(item.x, item.y, item.heading), owner, base=item.base)
            if owner != NOBODY:
                classes.append(item.class_id)
                whole_px.append(pixels)

    place(layout.low)
    place(layout.roofs)
    _paint_trees(canvas, layout.trees, view)
    place(layout.decks)
    for line, height in layout.wires:
        canvas.draw_wire(view.to_px(line), height, view.ppm)
    place(layout.high)
    return find_visible(canvas.owner, np.array(classes, np.int32), np.array(whole_px, np.int64))


def _paint_trees(canvas: Canvas, trees: list[Tree], view: View) -> None:
    sun, (height, width) = canvas.sun, view.hw
    sprites: list[tuple[Tree, Sprite]] = []
    for tree in trees:
        pose = view.pose(tree.x, tree.y)
        beyond = max(abs(pose.x - width / 2) - width / 2, abs(pose.y - height / 2) - height / 2)
        if beyond < (tree.radius * 1.3 + tree.height * sun.length) * view.ppm:
            sprites.append((tree, render_tree(tree, pose, sun.direction_xy)))
    for tree, sprite in sprites:
        canvas.cast_sprite(sprite, 0.75 * tree.height * view.ppm, max(1, round(0.15 * view.ppm)))
    for _, sprite in sprites:
        canvas.put(sprite)


def find_visible(owner: NDArray[np.int16], classes: NDArray[np.int32], whole_px: NDArray[np.int64]) -> Seen:
    """The boxes of the objects that can be seen well enough.

    Args:
        owner: i16[H, W], the number of the object that each pixel shows, or ``NOBODY``.
        classes: Of all objects.
        whole_px: How many pixels each covers where nothing hides it.
    """
    rows, columns = np.nonzero(owner >= 0)
    owners, count = owner[rows, columns], len(classes)
    seen_px = np.bincount(owners, minlength=count)
    first = np.full((2, count), np.iinfo(np.int64).max)
    last = np.full((2, count), -1)
    for axis, place in enumerate((columns, rows)):
        np.minimum.at(first[axis], owners, place)
        np.maximum.at(last[axis], owners, place)
    sides = (last - first + 1).min(axis=0)
    number = np.flatnonzero((seen_px >= MIN_VISIBLE * whole_px) & (seen_px > 0) & (sides >= MIN_SIDE_PX))
    xyxy = np.concatenate([first[:, number], last[:, number] + 1]).T.astype(np.float32)
    return Seen(np.ascontiguousarray(xyxy), classes[number], number)
