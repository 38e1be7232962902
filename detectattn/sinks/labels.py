"""Where the label file of a frame goes, for formats that keep one file a picture."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path, PurePosixPath

import numpy as np

from detectattn.boxes import clip_boxes, compute_area
from detectattn.sinks.files import write_new_file
from detectattn.types import Detections, Frame, Prediction

# File systems allow 255 bytes; the suffix takes four.
_NAME_LIMIT_BYTES = 251


class LabelFiles:
    """One file a frame, each under the first of its names that is free.

    Args:
        folder: Where.
        suffix: Of all of them.
        resume: Whether an unfinished run may have left files. Those of frames that are recalled are kept; another one
            is what was left of a frame that is done again, and is replaced.
    """

    def __init__(self, folder: Path, suffix: str, *, resume: bool = False) -> None:
        self._folder = folder
        self._suffix = suffix
        # Numbers stand for files, and so for names on a file system that ignores case: a million of them need 60 MB.
        self._kept: set[int] | None = set() if resume else None

    def write(self, frame: Frame, content: bytes) -> PurePosixPath:
        """Write the file of ``frame``.

        Returns:
            Its path below the folder, without the suffix.

        Raises:
            OutputError: It cannot be written.
        """
        name = self._choose(frame)
        path = self._locate(name)
        write_new_file(path, content, replace=self._kept is not None)
        if self._kept is not None:
            self._kept.add(path.lstat().st_ino)
        return name

    def recall(self, frame: Frame) -> None:
        """Note that the file of ``frame`` is there."""
        path = self._locate(self._choose(frame))
        if self._kept is not None and os.path.lexists(path):
            self._kept.add(path.lstat().st_ino)

    def _choose(self, frame: Frame) -> PurePosixPath:
        return next(name for name in iter_label_names(frame) if not self._is_taken(self._locate(name)))

    def _is_taken(self, path: Path) -> bool:
        if self._kept is None:
            return os.path.lexists(path)
        try:
            return path.lstat().st_ino in self._kept
        except OSError:
            return False

    def _locate(self, name: PurePosixPath) -> Path:
        return self._folder / f"{name}{self._suffix}"


def iter_label_names(frame: Frame) -> Iterator[PurePosixPath]:
    """Names for the label file of ``frame``, without suffix, the wanted one first; the rest are for when it is taken.

    A picture's labels have its stem (``street/bus.jpg`` → ``street/bus``), as tools that pair the two expect it; a
    second picture of that stem keeps its suffix (``street/bus.png``). A frame of a video, and every page after the
    first, is marked as pictures of it are: ``clip.mp4.p0123``. A name too long for a file system is cut and
    carries a hash of the whole.
    """
    output = frame.media.output
    if is_numbered(frame):
        full = output.with_name(f"{output.name}.p{frame.index:04d}")
    else:
        full = output
        if output.stem != output.name:
            yield _shorten(output.with_name(output.stem))
    yield _shorten(full)
    for number in count(2):
        yield _shorten(full.with_name(f"{full.name}_{number}"))


def is_numbered(frame: Frame) -> bool:
    """Whether ``frame`` is one of several of its media: of a video or stream, or a page after the first."""
    return frame.media.kind in ("video", "stream") or frame.index > 0


def _shorten(path: PurePosixPath) -> PurePosixPath:
    encoded = path.name.encode("utf-8", "surrogatepass")
    if len(encoded) <= _NAME_LIMIT_BYTES:
        return path
    mark = f".~{hashlib.sha256(encoded).hexdigest()[:20]}"
    # A character cut in two is dropped.
    kept = encoded[: _NAME_LIMIT_BYTES - len(mark)].decode("utf-8", "ignore")
    return path.with_name(kept + mark)


def clip_detections(prediction: Prediction) -> Detections:
    """The detections cut at the picture's edges, without those that lie outside altogether."""
    found = prediction.detections
    clipped = clip_boxes(found.xyxy, prediction.size_hw)
    visible = np.flatnonzero(compute_area(clipped) > 0)
    return Detections(clipped, found.score, found.class_id, found.query_id).take(visible)
