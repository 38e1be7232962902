"""Draws ``street/``, ``street.mp4`` and its ground truth: street scenes seen from above."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from samples.files import U8, encode_image, write_bytes, write_video
from samples.scenes import CLASS_NAMES, SAMPLE_SEEDS, draw_scene
from samples.scenes.clip import FPS, ClipFrame, iter_clip
from samples.truth import Labelled, write_coco, write_voc, write_yolo

# The classes' ids in COCO, in the order of CLASS_NAMES.
CATEGORIES = dict(zip((1, 2, 3, 6, 8, 10), CLASS_NAMES, strict=True))
ABOUT = "Drawn street scenes seen from above. Boxes are tight around what can be seen of an object."
JPEG_QUALITY = 84

# File, place in SAMPLE_SEEDS, height and width.
PICTURES = (
    ("lawns.jpg", 1, (600, 900)),
    ("evening.jpg", 5, (540, 960)),
    ("headlights.jpg", 6, (640, 800)),
    ("noon.jpg", 13, (540, 960)),
    ("sunset.jpg", 16, (640, 960)),
    ("trucks.jpg", 19, (960, 640)),
    ("midnight.jpg", 20, (720, 720)),
    ("median.jpg", 22, (640, 800)),
    ("parking.jpg", 26, (640, 960)),
    ("long-shadows.jpg", 32, (640, 960)),
    ("high-street.jpg", 35, (960, 640)),
    ("parasols.jpg", 36, (720, 720)),
    ("cycleways.jpg", 42, (640, 960)),
    ("rooftops.jpg", 45, (540, 960)),
    ("overpass.jpg", 49, (600, 900)),
    ("rush-hour.jpg", 62, (640, 800)),
    ("crossroads.jpg", 69, (540, 960)),
    ("yellow-bus.jpg", 74, (640, 960)),
    ("avenue.jpg", 84, (720, 720)),
    ("overcast.jpg", 87, (800, 640)),
    ("boulevard.jpg", 93, (540, 960)),
    ("lamplight.jpg", 100, (720, 720)),
    ("bridge.jpg", 103, (800, 640)),
    ("symmetry.jpg", 106, (640, 960)),
)


def write_street(out: Path) -> None:
    """Write ``street/``: pictures in ``images/``, ground truth as COCO, YOLO and VOC."""
    folder, labelled = out / "street", []
    for file, place, hw in sorted(PICTURES):
        scene = draw_scene(SAMPLE_SEEDS[place], hw)
        write_bytes(folder / "images" / file, encode_image(scene.bgr, ".jpg", JPEG_QUALITY))
        labelled.append(Labelled(file, (hw[1], hw[0]), scene.xyxy, scene.class_id))
    write_coco(folder / "annotations.json", labelled, CATEGORIES, ABOUT)
    write_yolo(folder, labelled, CLASS_NAMES, ABOUT)
    write_voc(folder / "voc", labelled, CLASS_NAMES)


def write_clip(out: Path) -> None:
    """Write ``street.mp4`` and, as COCO with a picture for each frame, ``street.json``."""
    labelled: list[Labelled] = []

    def draw_frames() -> Iterator[U8]:
        for frame in iter_clip():
            labelled.append(label_frame(frame))
            yield frame.bgr

    write_video(out / "street.mp4", draw_frames(), FPS, crf=25)
    write_coco(out / "street.json", labelled, CATEGORIES, f"The frames of street.mp4. {ABOUT}")


def label_frame(frame: ClipFrame) -> Labelled:
    """A frame's ground truth; its name is the video's, since the frame is no file."""
    height, width = frame.bgr.shape[:2]
    fields = {"frame_index": frame.index, "timestamp_s": frame.time_s}
    return Labelled("street.mp4", (width, height), frame.seen.xyxy, frame.seen.class_id, fields, frame.seen.number)
