"""``yolo/``: label files and the ``data.yaml`` that makes them a data set for Ultralytics."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import yaml

from detectattn.boxes import xyxy_to_xywh
from detectattn.sinks.files import write_new_file
from detectattn.sinks.labels import LabelFiles, clip_detections
from detectattn.types import Detections, Frame, ModelInfo, Prediction

_HEADER = """\
# Copy or link the pictures to images/ beside this file, with the same folders as below labels/, and train on them:
#     yolo detect train data=data.yaml
# labels/ holds `class cx cy w h`, scores/ the score of each of its lines.
"""


class YoloSink:
    """Writes ``yolo/labels/….txt`` and ``yolo/scores/….txt`` for every frame, and ``yolo/data.yaml``.

    A line of a label file is ``class cx cy w h``, centre and size as fractions of the picture, cut at its edges. The
    scores have files of their own, because Ultralytics' loader refuses labels with a sixth column.

    Args:
        folder: The run folder.
        model_info: Gives the class names.
        resume: Whether an unfinished run may have left files.
    """

    # In the order of the input, so that of two pictures with one stem always the same gets the short name.
    parallel: ClassVar[bool] = False

    def __init__(self, folder: Path, model_info: ModelInfo, *, resume: bool = False) -> None:
        self._folder = folder / "yolo"
        self._resume = resume
        self._labels = LabelFiles(self._folder / "labels", ".txt", resume=resume)
        self._class_names = dict(model_info.class_names)

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Write the labels of one frame; a frame without detections gets empty files."""
        found = clip_detections(prediction)
        name = self._labels.write(frame, render_labels(found, prediction.size_hw).encode())
        scores = "".join(f"{score:.5f}\n" for score in found.score.tolist())
        write_new_file(self._folder / "scores" / f"{name}.txt", scores.encode(), replace=self._resume)
        self._note_classes(found, prediction)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Note the name that its labels have, and its classes."""
        self._labels.recall(frame)
        self._note_classes(clip_detections(prediction), prediction)

    def close(self) -> None:
        """Write ``data.yaml``."""
        # Ultralytics wants the indices without a gap.
        count = max(self._class_names, default=-1) + 1
        names = {i: self._class_names.get(i, f"class {i}") for i in range(count)}
        text = yaml.safe_dump({"train": "images", "val": "images", "names": names}, allow_unicode=True, sort_keys=False)
        content = (_HEADER + text).encode("utf-8", "backslashreplace")
        write_new_file(self._folder / "data.yaml", content, replace=self._resume)

    def abort(self) -> None:
        """Keep the labels written so far, every one of which is whole."""

    def _note_classes(self, found: Detections, prediction: Prediction) -> None:
        for class_id in np.unique(found.class_id).tolist():
            self._class_names.setdefault(class_id, prediction.class_name(class_id))


def render_labels(found: Detections, size_hw: tuple[int, int]) -> str:
    """Label lines ``class cx cy w h`` for detections inside a picture of that height and width."""
    height, width = size_hw
    rows = (xyxy_to_xywh(found.xyxy) / np.array([width, height, width, height], np.float32)).tolist()
    return "".join(
        f"{class_id} {cx:.6f} {cy:.6f} {w:.6f} {h:.6f}\n"
        for class_id, (cx, cy, w, h) in zip(found.class_id.tolist(), rows, strict=True)
    )
