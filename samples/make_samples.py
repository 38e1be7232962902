"""Makes everything in this folder: pictures with ground truth, files that give trouble, a video.

    python samples/make_samples.py [--out FOLDER]

The same seeds give the same pixels.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from draw_shapes import (
    CLASS_NAMES,
    U8,
    Shape,
    draw_ground,
    draw_scene,
    parse_bgr,
    place_shapes,
    render_labels,
)
from PIL import Image


@dataclass(frozen=True, slots=True)
class Scene:
    """What one picture shows."""

    file: str
    size_wh: tuple[int, int]
    palette: str
    shape_count: int
    seed: int


SCENES = (
    Scene("meadow.jpg", (960, 720), "meadow", 9, 1),
    Scene("harbour.jpg", (960, 640), "harbour", 8, 2),
    Scene("dusk.jpg", (720, 960), "dusk", 8, 3),
    Scene("paper.jpg", (800, 800), "paper", 10, 4),
    Scene("clay.jpg", (640, 512), "clay", 6, 5),
    Scene("frost.jpg", (600, 720), "frost", 7, 6),
    Scene("crowd.jpg", (960, 800), "meadow", 14, 7),
    Scene("small.png", (320, 256), "dusk", 4, 8),
)
ROTATED = Scene("rotated.jpg", (640, 480), "harbour", 5, 41)
EXIF_ORIENTATION = 0x0112
TURN_RIGHT_TO_VIEW = 6

VIDEO_SIZE_WH = (320, 240)
VIDEO_FPS = 25
VIDEO_SECONDS = 3


def main() -> None:
    """Write all samples below the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="default: this folder")
    out: Path = parser.parse_args().out
    for scene in SCENES:
        write_scene(scene, out / "shapes")
    write_names(out / "shapes" / "data.yaml")
    write_trouble(out / "trouble")
    write_video(out / "shapes.mp4", seed=22)


def draw(scene: Scene, grain: float = 3.0) -> tuple[U8, list[Shape]]:
    """The scene's pixels, u8[H, W, 3] BGR, and its shapes."""
    rng = np.random.default_rng(scene.seed)
    ground = draw_ground(scene.size_wh, scene.palette, grain, rng)
    shapes = place_shapes(scene.size_wh, scene.palette, scene.shape_count, rng)
    return draw_scene(ground, shapes), shapes


def encode(bgr: U8, suffix: str) -> bytes:
    """The picture as the bytes of a file."""
    _, encoded = cv2.imencode(suffix, bgr, [cv2.IMWRITE_JPEG_QUALITY, 88] if suffix == ".jpg" else [])
    return encoded.tobytes()


def write_scene(scene: Scene, folder: Path) -> None:
    """One picture in ``images/``, its ground truth in ``labels/``."""
    image, label = folder / "images" / scene.file, (folder / "labels" / scene.file).with_suffix(".txt")
    bgr, shapes = draw(scene, grain=0.0 if image.suffix == ".png" else 3.0)
    _write(image, encode(bgr, image.suffix))
    _write(label, render_labels(shapes, scene.size_wh).encode())


def write_names(path: Path) -> None:
    """The data set's description, as Ultralytics reads it."""
    header = "# Drawn scenes of six shapes. A box is the square around its shape's circle.\n"
    _write(path, f"{header}path: .\ntrain: images\nval: images\nnames: [{', '.join(CLASS_NAMES)}]\n".encode())


def write_trouble(folder: Path) -> None:
    """What real folders hold: a picture cut short, one that its metadata turns, a text that calls itself a picture."""
    bgr, _ = draw(ROTATED)
    whole = encode(bgr, ".jpg")
    _write(folder / "truncated.jpg", whole[: len(whole) * 3 // 5])
    _write(folder / "text.jpg", b"This is a text file that calls itself a picture.\n")
    as_the_camera_saw = Image.fromarray(np.rot90(bgr[..., ::-1], k=1))
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = TURN_RIGHT_TO_VIEW
    turned = io.BytesIO()
    as_the_camera_saw.save(turned, "JPEG", quality=88, exif=exif)
    _write(folder / ROTATED.file, turned.getvalue())


def write_video(path: Path, seed: int) -> None:
    """Shapes that drift and bounce off the edges, as H.264 in MP4."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    ground = draw_ground(VIDEO_SIZE_WH, "frost", 0.0, rng)
    colours = ("D00000", "3C096C", "FF8800", "006D77")
    actors = [
        Shape(class_id, (0.0, 0.0), radius, angle, parse_bgr(colour))
        for class_id, radius, angle, colour in zip((0, 1, 2, 5), (24, 22, 30, 26), (0, 0, 0, 0.3), colours, strict=True)
    ]
    starts, speeds = rng.uniform(0, 1, (len(actors), 2)), rng.uniform(0.25, 0.6, (len(actors), 2))
    with av.open(path, "w", options={"movflags": "+faststart"}) as container:
        # One thread, since the encoder's decisions depend on how many there are.
        stream = container.add_stream(
            "libx264", rate=VIDEO_FPS, options={"crf": "24", "preset": "slow", "threads": "1"}
        )
        stream.width, stream.height = VIDEO_SIZE_WH
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, VIDEO_FPS)
        for index in range(VIDEO_FPS * VIDEO_SECONDS):
            places = starts + speeds * index / VIDEO_FPS
            shapes = [actor.at(_bounce(actor, place)) for actor, place in zip(actors, places, strict=True)]
            frame = av.VideoFrame.from_ndarray(draw_scene(ground, shapes), format="bgr24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _bounce(shape: Shape, place: np.ndarray) -> tuple[float, float]:
    """Where a shape is that has come ``place`` widths and heights of the picture, reflected at the edges."""
    room = np.array(VIDEO_SIZE_WH) - 2 * shape.radius_px
    folded = 1 - np.abs(1 - place % 2)
    x, y = shape.radius_px + folded * room
    return float(x), float(y)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


if __name__ == "__main__":
    main()
