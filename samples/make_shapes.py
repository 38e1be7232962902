"""Draws ``shapes/`` and ``shapes.mp4``: flat shapes with ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samples.draw_shapes import (
    CLASS_NAMES,
    U8,
    Shape,
    draw_ground,
    draw_scene,
    parse_bgr,
    place_shapes,
    render_labels,
)
from samples.files import encode_image, write_bytes, write_video


@dataclass(frozen=True, slots=True)
class Picture:
    """What one picture shows."""

    file: str
    size_wh: tuple[int, int]
    palette: str
    shape_count: int
    seed: int


PICTURES = (
    Picture("meadow.jpg", (960, 720), "meadow", 9, 1),
    Picture("harbour.jpg", (960, 640), "harbour", 8, 2),
    Picture("dusk.jpg", (720, 960), "dusk", 8, 3),
    Picture("paper.jpg", (800, 800), "paper", 10, 4),
    Picture("clay.jpg", (640, 512), "clay", 6, 5),
    Picture("frost.jpg", (600, 720), "frost", 7, 6),
    Picture("crowd.jpg", (960, 800), "meadow", 14, 7),
    Picture("small.png", (320, 256), "dusk", 4, 8),
)
VIDEO_SIZE_WH = (320, 240)
VIDEO_FPS = 25
VIDEO_SECONDS = 3


def write_shapes(out: Path) -> None:
    """Write ``shapes/`` and ``shapes.mp4`` below ``out``."""
    folder = out / "shapes"
    for picture in PICTURES:
        image, label = folder / "images" / picture.file, (folder / "labels" / picture.file).with_suffix(".txt")
        bgr, shapes = draw(picture, grain=0.0 if image.suffix == ".png" else 3.0)
        write_bytes(image, encode_image(bgr, image.suffix))
        write_bytes(label, render_labels(shapes, picture.size_wh).encode())
    header = "# Drawn scenes of six shapes. A box is the square around its shape's circle.\n"
    names = f"{header}path: .\ntrain: images\nval: images\nnames: [{', '.join(CLASS_NAMES)}]\n"
    write_bytes(folder / "data.yaml", names.encode())
    write_drift(out / "shapes.mp4", seed=22)


def draw(picture: Picture, grain: float = 3.0) -> tuple[U8, list[Shape]]:
    """The picture's pixels, u8[H, W, 3] BGR, and its shapes."""
    rng = np.random.default_rng(picture.seed)
    ground = draw_ground(picture.size_wh, picture.palette, grain, rng)
    shapes = place_shapes(picture.size_wh, picture.palette, picture.shape_count, rng)
    return draw_scene(ground, shapes), shapes


def write_drift(path: Path, seed: int) -> None:
    """Shapes that drift and bounce off the edges, as H.264 in MP4."""
    rng = np.random.default_rng(seed)
    ground = draw_ground(VIDEO_SIZE_WH, "frost", 0.0, rng)
    colours = ("D00000", "3C096C", "FF8800", "006D77")
    actors = [
        Shape(class_id, (0.0, 0.0), radius, angle, parse_bgr(colour))
        for class_id, radius, angle, colour in zip((0, 1, 2, 5), (24, 22, 30, 26), (0, 0, 0, 0.3), colours, strict=True)
    ]
    starts, speeds = rng.uniform(0, 1, (len(actors), 2)), rng.uniform(0.25, 0.6, (len(actors), 2))

    def draw_frame(index: int) -> U8:
        places = starts + speeds * index / VIDEO_FPS
        return draw_scene(ground, [a.at(_bounce(a, place)) for a, place in zip(actors, places, strict=True)])

    write_video(path, (draw_frame(index) for index in range(VIDEO_FPS * VIDEO_SECONDS)), VIDEO_FPS, crf=24)


def _bounce(shape: Shape, place: np.ndarray) -> tuple[float, float]:
    """Where a shape is that has come ``place`` widths and heights of the picture, reflected at the edges."""
    room = np.array(VIDEO_SIZE_WH) - 2 * shape.radius_px
    folded = 1 - np.abs(1 - place % 2)
    x, y = shape.radius_px + folded * room
    return float(x), float(y)
