"""Ground truth in the forms that others read: COCO, YOLO, Pascal VOC."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
from numpy.typing import NDArray

from samples.files import write_bytes


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture's ground truth.

    Attributes:
        file: The picture's name.
        size_wh: In pixels.
        xyxy: f32[N, 4], in pixels.
        class_id: i32[N].
        image_fields: What else COCO's entry of the picture says.
        track_id: i64[N], numbers that stay with an object through a video, or None.
    """

    file: str
    size_wh: tuple[int, int]
    xyxy: NDArray[np.float32]
    class_id: NDArray[np.int32]
    image_fields: dict[str, Any] = field(default_factory=dict)
    track_id: NDArray[np.int64] | None = None


def write_coco(path: Path, pictures: Sequence[Labelled], categories: dict[int, str], about: str) -> None:
    """COCO's ``annotations.json``; ids count from 1.

    Args:
        path: The file.
        pictures: In the order of their ids.
        categories: Names by COCO's own category ids, in the order of the class ids.
        about: What the data set is.
    """
    ids = list(categories)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, picture in enumerate(pictures, 1):
        width, height = picture.size_wh
        entry = {"id": image_id, "file_name": picture.file, "width": width, "height": height}
        images.append({**entry, **picture.image_fields})
        for number, (box, class_id) in enumerate(zip(picture.xyxy.tolist(), picture.class_id.tolist(), strict=True)):
            x0, y0, x1, y1 = (int(v) for v in box)
            where = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0), "iscrowd": 0}
            track = {} if picture.track_id is None else {"track_id": int(picture.track_id[number])}
            key = {"id": len(annotations) + 1, "image_id": image_id, "category_id": ids[class_id]}
            annotations.append({**key, **where, **track})
    document = {
        "info": {"description": about},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": key, "name": name} for key, name in categories.items()],
    }
    write_bytes(path, (_render_rows(document) + "\n").encode())


def _render_rows(document: dict[str, Any]) -> str:
    """JSON with one picture, box or category a line: short, and a change shows as one line."""
    parts = []
    for key, value in document.items():
        if isinstance(value, list):
            rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in value)
            parts.append(f"{json.dumps(key)}: [\n{rows}\n]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}"


def write_yolo(folder: Path, pictures: Sequence[Labelled], class_names: Sequence[str], about: str) -> None:
    """``labels/*.txt`` and the ``data.yaml`` that Ultralytics reads, for pictures in ``images/``."""
    for picture in pictures:
        width, height = picture.size_wh
        centers = (picture.xyxy[:, :2] + picture.xyxy[:, 2:]) / 2 / (width, height)
        sides = (picture.xyxy[:, 2:] - picture.xyxy[:, :2]) / (width, height)
        lines = [
            f"{class_id} {cx:.6f} {cy:.6f} {w:.6f} {h:.6f}\n"
            for class_id, (cx, cy), (w, h) in zip(picture.class_id, centers, sides, strict=True)
        ]
        write_bytes((folder / "labels" / picture.file).with_suffix(".txt"), "".join(lines).encode())
    names = "".join(f"  {class_id}: {name}\n" for class_id, name in enumerate(class_names))
    write_bytes(folder / "data.yaml", f"# {about}\npath: .\ntrain: images\nval: images\nnames:\n{names}".encode())


def write_voc(folder: Path, pictures: Sequence[Labelled], class_names: Sequence[str]) -> None:
    """One XML a picture; boxes count pixels from 1 and include both ends, as in the VOC data sets."""
    for picture in pictures:
        root = Element("annotation")
        width, height = picture.size_wh
        _add(root, folder="images", filename=picture.file)
        _add(SubElement(root, "size"), width=width, height=height, depth=3)
        _add(root, segmented=0)
        for box, class_id in zip(picture.xyxy.tolist(), picture.class_id.tolist(), strict=True):
            x0, y0, x1, y1 = (int(v) for v in box)
            item = SubElement(root, "object")
            cut = int(x0 == 0 or y0 == 0 or x1 == width or y1 == height)
            _add(item, name=class_names[class_id], pose="Unspecified", truncated=cut, difficult=0)
            _add(SubElement(item, "bndbox"), xmin=x0 + 1, ymin=y0 + 1, xmax=x1, ymax=y1)
        indent(root)
        write_bytes((folder / picture.file).with_suffix(".xml"), tostring(root) + b"\n")


def _add(parent: Element, **texts: object) -> None:
    for tag, text in texts.items():
        SubElement(parent, tag).text = str(text)
