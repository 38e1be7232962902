"""Ground truth in COCO's JSON (https://cocodataset.org/#format-data)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

import numpy as np

from detectattn.errors import BrokenTruth
from detectattn.evaluation.truth import CocoIndex, TruthEntry, TruthFile, count_of
from detectattn.evaluation.truth_json import find_line, is_number, is_pixels, load_json
from detectattn.sources.suffixes import VIDEO_SUFFIXES

_HINT = "Give COCO JSON with the lists images, annotations and categories"
_MAX_ID_DIGITS = 18


def load_coco(path: Path) -> TruthFile:
    """Ground truth from a COCO JSON file.

    Ids may be numbers or texts, annotation ids from 0, or missing. A missing ``area`` is the box's, a missing ``bbox``
    that of the polygons or mask. As in COCO's own evaluation ``iscrowd`` counts and ``ignore`` does not. Categories of
    one name are one class. Annotations of images or categories that the file does not list are left out, and noted.

    Raises:
        BrokenTruth: It cannot be read; the message names line and key.
    """
    content = load_json(path, BrokenTruth, "Export it anew, or name another file with --truth")
    index = read_index(path, content)
    annotations = content.get("annotations")
    if not isinstance(annotations, list):
        _fail(path, ("annotations",), "must be a list of objects" if annotations is not None else "is missing")
    class_names = tuple(dict.fromkeys(index.categories.values()))
    reader = _AnnotationReader(path, index, class_names)
    for number, annotation in enumerate(annotations):
        reader.add(number, annotation)
    entries = tuple(reader.to_entry(image_id) for image_id in sorted(index.images, key=_id_order))
    return TruthFile(path, "coco", class_names, entries, index, reader.make_notes())


def read_index(path: Path, content: Any) -> CocoIndex:
    """What ids mean in the content of a COCO file.

    Raises:
        BrokenTruth: It lacks images or categories.
    """
    if isinstance(content, list):
        raise BrokenTruth(
            f"{path} holds a list, as detections do, and no ground truth",
            hint=f"To judge these detections give -m NAME={path}, and the ground truth with --truth",
        )
    if not isinstance(content, dict):
        _fail(path, (), "must be an object")
    images: dict[str, tuple[str, int, tuple[int, int] | None]] = {}
    for number, image in enumerate(_list_of(path, content, "images")):
        image_id = to_id(_field(path, image, ("images", number), "id"))
        if image_id in images:
            _fail(path, ("images", number, "id"), f"is {image_id}, which another image has")
        images[image_id] = _read_image(path, number, image)
    categories: dict[str, str] = {}
    for number, category in enumerate(_list_of(path, content, "categories")):
        category_id = to_id(_field(path, category, ("categories", number), "id"))
        categories[category_id] = str(_field(path, category, ("categories", number), "name"))
    return CocoIndex(path, images, categories)


def to_id(value: object) -> str:
    """An id as text: 17, 17.0 and "17" are one id."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _id_order(image_id: str) -> tuple[int, int, str]:
    is_number_like = image_id.isascii() and image_id.isdecimal() and len(image_id) <= _MAX_ID_DIGITS
    return (0, int(image_id), "") if is_number_like else (1, 0, image_id)


def _read_image(path: Path, number: int, image: Mapping[str, Any]) -> tuple[str, int, tuple[int, int] | None]:
    # A video's frames carry their source and number (see our own coco/images.json).
    name = image.get("source") or image.get("file_name") or image.get("coco_url")
    if not isinstance(name, str):
        _fail(path, ("images", number, "file_name"), "is missing")
    index, height, width = _read_frame(name, image), image.get("height"), image.get("width")
    size_hw = None
    if is_pixels(height) and is_pixels(width) and height >= 1 and width >= 1:
        size_hw = int(height), int(width)
    return name.replace("\\", "/"), index, size_hw


def _read_frame(name: str, image: Mapping[str, Any]) -> int:
    """The frame of a video, under our own name for it or the usual one; 0 for an ordinary image."""
    is_video = PurePosixPath(name).suffix.lower() in VIDEO_SUFFIXES
    index = image.get("index", image.get("frame_index", 0) if is_video else 0)
    return index if isinstance(index, int) else 0


class _AnnotationReader:
    """Gathers annotations by image."""

    def __init__(self, path: Path, index: CocoIndex, class_names: Sequence[str]) -> None:
        self._path = path
        self._index = index
        by_name = {name: i for i, name in enumerate(class_names)}
        self._class_index = {category_id: by_name[name] for category_id, name in index.categories.items()}
        self._rows: dict[str, list[tuple[list[float], int, bool, float]]] = defaultdict(list)
        self._left_out: Counter[str] = Counter()

    def add(self, number: int, annotation: Any) -> None:
        """Read one annotation."""
        place = ("annotations", number)
        image_id = to_id(_field(self._path, annotation, place, "image_id"))
        category_id = to_id(_field(self._path, annotation, place, "category_id"))
        if image_id not in self._index.images:
            self._left_out["of images that the file does not list"] += 1
            return
        if category_id not in self._class_index:
            self._left_out["of categories that the file does not list"] += 1
            return
        if annotation.get("ignore") and not annotation.get("iscrowd"):
            self._left_out["ignore"] += 1
        box = self._read_box(number, annotation, image_id)
        area = annotation.get("area")
        self._rows[image_id].append(
            (
                box,
                self._class_index[category_id],
                bool(annotation.get("iscrowd", 0)),
                float(area) if is_number(area) else box[2] * box[3],
            )
        )

    def _read_box(self, number: int, annotation: Mapping[str, Any], image_id: str) -> list[float]:
        box = annotation.get("bbox")
        if box is None and annotation.get("segmentation"):
            box = self._read_mask(number, annotation["segmentation"], image_id)
        place = ("annotations", number, "bbox")
        if box is None:
            _fail(self._path, place, "is missing")
        if not isinstance(box, list) or len(box) != 4 or not all(is_pixels(v) for v in box):
            _fail(self._path, place, f"must be [left, top, width, height], got {str(box)[:80]}")
        if box[2] < 0 or box[3] < 0:
            _fail(self._path, place, f"has a negative width or height: {box}")
        return [float(v) for v in box]

    def _read_mask(self, number: int, segmentation: Any, image_id: str) -> list[float] | None:
        try:
            return _box_of_mask(segmentation, self._index.images[image_id][2])
        except (LookupError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)[:100]
            _fail(self._path, ("annotations", number, "segmentation"), f"is no mask or polygon ({reason})")

    def to_entry(self, image_id: str) -> TruthEntry:
        """What the file says of one image."""
        name, index, size_hw = self._index.images[image_id]
        rows = self._rows.get(image_id, [])
        ltwh = np.array([row[0] for row in rows], np.float64).reshape(-1, 4)
        return TruthEntry(
            name=name,
            index=index,
            path=self._path.parent / PurePosixPath(name),
            size_hw=size_hw,
            xyxy=np.concatenate([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]], axis=1),
            class_index=np.array([row[1] for row in rows], np.int32),
            crowd=np.array([row[2] for row in rows], np.bool_),
            ignored=np.zeros(len(rows), np.bool_),
            area=np.array([row[3] for row in rows], np.float64),
        )

    def make_notes(self) -> tuple[str, ...]:
        """What was left out, and why."""
        notes = []
        for reason, count in self._left_out.items():
            if reason == "ignore":
                marked = count_of(count, "annotation")
                notes.append(f"{marked} marked ignore, which COCO's evaluation passes over: counted")
            else:
                notes.append(f"left out: {count_of(count, 'annotation')} {reason}")
        return tuple(notes)


def _box_of_mask(segmentation: Any, size_hw: tuple[int, int] | None) -> list[float] | None:
    """Left, top, width, height around polygons (lists of x, y, …) or a run-length mask; None for neither."""
    if isinstance(segmentation, list) and all(isinstance(p, list) and len(p) >= 4 for p in segmentation):
        points = np.concatenate([np.array(p[: len(p) // 2 * 2], np.float64).reshape(-1, 2) for p in segmentation])
        low, high = points.min(axis=0), points.max(axis=0)
        return [*low.tolist(), *(high - low).tolist()]
    if isinstance(segmentation, dict) and "counts" in segmentation:
        # Only files with masks and no boxes pay for this import.
        from faster_coco_eval.core import mask

        height, width = segmentation.get("size") or size_hw or (0, 0)
        encoded = segmentation
        if isinstance(segmentation["counts"], list):
            encoded = mask.frPyObjects(segmentation, height, width)
        return [float(v) for v in np.asarray(mask.toBbox(encoded)).reshape(-1)]
    return None


def _list_of(path: Path, content: Mapping[str, Any], key: str) -> list[Any]:
    values = content.get(key)
    if not isinstance(values, list):
        _fail(path, (key,), "is missing" if values is None else "must be a list of objects")
    return values


def _field(path: Path, item: Any, place: tuple[str, int], key: str) -> Any:
    if not isinstance(item, dict):
        _fail(path, place, "must be an object")
    if item.get(key) is None:
        _fail(path, (*place, key), "is missing")
    return item[key]


def _fail(path: Path, place: tuple[str | int, ...], problem: str) -> NoReturn:
    line = find_line(path, place)
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    where = f"{path}, line {line}: " if line else f"{path}: "
    raise BrokenTruth(f"{where}{key or 'its content'} {problem}", hint=_HINT)
