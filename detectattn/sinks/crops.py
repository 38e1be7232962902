"""Every detection as a picture of its own, sorted into folders by class."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np

from detectattn.sinks.files import write_new_file
from detectattn.sinks.media_files import encode_image, image_output_name
from detectattn.types import F32, U8, Frame, Prediction

_UNSAFE = re.compile(r'[<>:"/\\|?*]')
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)
_FOLDER_LIMIT_BYTES = 120


class CropsSink:
    """Writes ``crops/CLASS/…/NAME.ROW.jpg``; ROW is the detection's place in the record, from 0.

    Pictures and frames of videos and streams alike; a frame is marked as a page is (``clip.mp4.p0120.3.jpg``).

    Args:
        folder: The run's ``crops`` folder; made when the first crop comes.
        jpeg_quality: 1 to 100.
        resume: Whether crops that an unfinished run has left may be there.
    """

    parallel: ClassVar[bool] = True

    def __init__(self, folder: Path, jpeg_quality: int = 95, *, resume: bool = False) -> None:
        self._folder = folder
        self._resume = resume
        self._jpeg_quality = jpeg_quality

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Write a crop of every detection that has pixels within the picture.

        Raises:
            OutputExists: A crop is there already.
            DiskFull: No space, or no permission.
            WriteFailed: Any other reason.
        """
        name = image_output_name(frame.media.output, frame.index)
        detections = prediction.detections
        for row, class_id in enumerate(detections.class_id.tolist()):
            crop = _cut_out(frame.bgr, detections.xyxy[row])
            if crop is None:
                continue
            class_folder = class_folder_name(prediction.class_name(class_id), class_id)
            path = self._folder / class_folder / crop_name(name, row)
            write_new_file(path, encode_image(crop, path.suffix, self._jpeg_quality), replace=self._resume)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note: the crops are there."""

    def close(self) -> None:
        """Nothing is left to do: every crop was whole when it was written."""

    def abort(self) -> None:
        """Nothing is incomplete."""


def crop_name(image_name: PurePosixPath, row: int) -> PurePosixPath:
    """The name of a picture's crop: ``street/bus.jpg`` gives ``street/bus.3.jpg``."""
    return image_name.with_name(f"{image_name.stem}.{row}{image_name.suffix}")


def class_folder_name(class_name: str, class_id: int) -> str:
    """A class's name as one folder name that every file system takes; ``class 7`` where nothing of it is left."""
    safe = "".join(c if c.isprintable() else "_" for c in _UNSAFE.sub("_", class_name))
    while len(safe.encode("utf-8", "surrogatepass")) > _FOLDER_LIMIT_BYTES:
        safe = safe[:-1]
    safe = safe.strip(" .")
    if _WINDOWS_DEVICES.match(safe):
        safe = f"{safe}_"
    return safe or f"class {class_id}"


def _cut_out(bgr: U8, xyxy: F32) -> U8 | None:
    """The pixels that a box touches, or None for a box without area or beyond the picture."""
    height, width = bgr.shape[:2]
    if not np.isfinite(xyxy).all():
        return None
    left, top, right, bottom = np.clip(xyxy.astype(np.float64), 0, [width, height, width, height]).tolist()
    if right <= left or bottom <= top:
        return None
    return np.ascontiguousarray(bgr[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))])
