"""What explaining a picture leaves in the run folder: its sheet, and the arrays of every model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from detectattn.attention.arrays import to_arrays, write_arrays
from detectattn.explain.choice import title_of
from detectattn.explain.frame import ExplainedFrame
from detectattn.explain.models import OpenModel
from detectattn.explain.picture import ExplainOptions
from detectattn.explain.sheet import ModelOnSheet, draw_explained
from detectattn.sinks.files import write_new_file
from detectattn.sinks.media_files import encode_image, image_output_name
from detectattn.types import U8, Frame

SHEETS, ARRAYS = "images", "explain"

_JPEG_QUALITY = 90
_PAGE_JPEG_QUALITY, _PAGE_SIDE_PX = 85, 960


def name_picture(frame: Frame) -> PurePosixPath:
    """A picture's place below a folder of outputs; another one for every other picture.

    It mirrors the tree of the input. Frames of a video or stream lie in a folder of its name: ``clip.mp4/000025.jpg``.
    """
    if frame.media.kind == "image":
        return image_output_name(frame.media.output, frame.index)
    return frame.media.output / f"{frame.index:06d}.jpg"


def name_sheet(frame: Frame) -> PurePosixPath:
    """A sheet's path in the run folder, always of a JPEG: ``images/street/bus.jpg``, ``images/shot.png.jpg``."""
    name = PurePosixPath(SHEETS) / name_picture(frame)
    # No other picture can be called that: names that look derived were given a suffix more.
    return name if name.suffix.lower() in (".jpg", ".jpeg") else name.with_name(f"{name.name}.jpg")


def name_arrays(frame: Frame, model: OpenModel) -> PurePosixPath:
    """The path in the run folder of a model's arrays: ``explain/rtdetr-l/street/bus.jpg.attention.npz``."""
    name = name_picture(frame)
    own = name.name if frame.media.kind == "image" else name.stem
    return PurePosixPath(ARRAYS) / model.folder / name.with_name(f"{own}.attention.npz")


def write_frame_arrays(folder: Path, frame: Frame, models: Sequence[OpenModel], done: ExplainedFrame) -> dict[str, str]:
    """Write the arrays of every model; by model, their path in the run folder.

    Raises:
        OutputError: They cannot be written.
    """
    paths = {}
    for model, explained in zip(models, done.explained, strict=True):
        path = name_arrays(frame, model)
        write_arrays(folder / path, to_arrays(explained.captured, range(len(explained.detections))))
        paths[model.name] = str(path)
    return paths


def write_sheet(
    folder: Path,
    frame: Frame,
    models: Sequence[OpenModel],
    done: ExplainedFrame,
    shown: Sequence[str],
    options: Sequence[ExplainOptions],
) -> str | None:
    """Write ``images/IMAGE.jpg``; its path in the run folder, or None where nothing was found in the picture.

    Args:
        folder: The run folder.
        frame: The picture.
        models: From left to right.
        done: What was explained.
        shown: Of each model, the method that is shown.
        options: Of each model.

    Raises:
        OutputError: It cannot be written.
    """
    if not done.objects:
        return None
    columns = [
        ModelOnSheet(m.name, m.color, method, explained, title_of(method, wanted.choice, m.sites), wanted.choice.layer)
        for m, method, explained, wanted in zip(models, shown, done.explained, options, strict=True)
    ]
    path = name_sheet(frame)
    content = encode_image(draw_explained(frame.bgr, done.objects, done.rows, columns), ".jpg", _JPEG_QUALITY)
    write_new_file(folder / path, content)
    return str(path)


def encode_for_page(bgr: U8) -> bytes:
    """A picture u8[H, W, 3] as JPEG, at most 960 px long."""
    scale = min(1.0, _PAGE_SIDE_PX / max(bgr.shape[:2]))
    if scale < 1:
        size_wh = max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale))
        bgr = np.asarray(cv2.resize(bgr, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
    return encode_image(bgr, ".jpg", _PAGE_JPEG_QUALITY)
