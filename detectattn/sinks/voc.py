"""``voc/``: one Pascal VOC annotation (XML) a picture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from detectattn.sinks.labels import LabelFiles, clip_detections, is_numbered
from detectattn.types import Frame, Prediction

# All that XML 1.0 cannot hold in any form.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class VocSink:
    """Writes ``voc/….xml`` for every frame.

    Args:
        folder: The run folder.
        resume: Whether an unfinished run may have left annotations.
    """

    # In the order of the input, so that of two pictures with one stem always the same gets the short name.
    parallel: ClassVar[bool] = False

    def __init__(self, folder: Path, *, resume: bool = False) -> None:
        self._annotations = LabelFiles(folder / "voc", ".xml", resume=resume)

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Write the annotation of one frame; a frame without detections gets one without objects."""
        root = to_annotation(frame, prediction)
        indent(root)
        self._annotations.write(frame, tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Note the name that its annotation has."""
        self._annotations.recall(frame)

    def close(self) -> None:
        """Nothing is left to do."""

    def abort(self) -> None:
        """Keep the annotations written so far, every one of which is whole."""


def to_annotation(frame: Frame, prediction: Prediction) -> Element:
    """The annotation of one frame.

    Boxes are whole pixels counted from 1, both ends included, as in the VOC data sets: a box over the whole of a
    picture is 1, 1, width, height.
    """
    height, width = prediction.size_hw
    output = frame.media.output
    root = Element("annotation")
    _add(root, {"folder": output.parent.as_posix(), "filename": output.name, "path": prediction.source})
    if is_numbered(frame):
        _add(root, {"frame": frame.index})
    _add(SubElement(root, "source"), {"database": "detectattn", "annotation": prediction.model})
    _add(SubElement(root, "size"), {"width": width, "height": height, "depth": 3})
    _add(root, {"segmented": 0})
    found = clip_detections(prediction)
    for xyxy, score, class_id in zip(found.xyxy.tolist(), found.score.tolist(), found.class_id.tolist(), strict=True):
        item = SubElement(root, "object")
        _add(item, {"name": prediction.class_name(class_id), "pose": "Unspecified", "truncated": 0, "difficult": 0})
        _add(item, {"score": f"{score:.5f}"})
        _add(SubElement(item, "bndbox"), _to_pixels(xyxy, width, height))
    return root


def _to_pixels(xyxy: list[float], width: int, height: int) -> dict[str, int]:
    left, top, right, bottom = (round(edge) for edge in xyxy)
    xmin, ymin = min(left + 1, width), min(top + 1, height)
    return {"xmin": xmin, "ymin": ymin, "xmax": max(right, xmin), "ymax": max(bottom, ymin)}


def _add(parent: Element, texts: Mapping[str, object]) -> None:
    for tag, text in texts.items():
        SubElement(parent, tag).text = _NOT_XML.sub("\ufffd", str(text))
