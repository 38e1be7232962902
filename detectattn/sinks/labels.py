"""Where the label file of a frame goes, for formats that keep one file a picture."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path, PurePosixPath

import numpy as np

from detectattn.boxes import clip_boxes, compute_area
from detectattn.sinks.files import write_new_file
from detectattn.types import Detections, Frame, Prediction


def write_label(folder: Path, frame: Frame, suffix: str, content: bytes) -> PurePosixPath:
    """Write the label file of ``frame`` below ``folder`` under the first of its names that is free.

    Returns:
        The path below ``folder``, without ``suffix``.

    Raises:
        OutputError: It cannot be written.
    """
    name = next(name for name in iter_label_names(frame) if not os.path.lexists(folder / f"{name}{suffix}"))
    write_new_file(folder / f"{name}{suffix}", content)
    return name


def iter_label_names(frame: Frame) -> Iterator[PurePosixPath]:
    """Names for the label file of ``frame``, without suffix, the wanted one first; the rest are for when it is taken.

    A picture's labels have its stem (``street/bus.jpg`` → ``street/bus``), as tools that pair the two expect it; a
    second picture of that stem keeps its suffix (``street/bus.png``). A frame of a video, and every page after the
    first, is numbered: ``clip.mp4_000123``.
    """
    output = frame.media.output
    if is_numbered(frame):
        full = output.with_name(f"{output.name}_{frame.index:06d}")
    else:
        full = output
        if output.stem != output.name:
            yield output.with_name(output.stem)
    yield full
    for number in count(2):
        yield full.with_name(f"{full.name}_{number}")


def is_numbered(frame: Frame) -> bool:
    """Whether ``frame`` is one of several of its media: of a video or stream, or a page after the first."""
    return frame.media.kind in ("video", "stream") or frame.index > 0


def clip_detections(prediction: Prediction) -> Detections:
    """The detections cut at the picture's edges, without those that lie outside altogether."""
    found = prediction.detections
    clipped = clip_boxes(found.xyxy, prediction.size_hw)
    visible = np.flatnonzero(compute_area(clipped) > 0)
    return Detections(clipped, found.score, found.class_id, found.query_id).take(visible)
