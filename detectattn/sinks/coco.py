"""``coco/``: detections in COCO's results format, and the images and categories that they refer to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, ClassVar

from detectattn.classes import to_category_id
from detectattn.errors import OutputError
from detectattn.records import to_record
from detectattn.sinks.files import PendingFile, output_errors
from detectattn.sinks.labels import is_numbered
from detectattn.types import Frame, ModelInfo, Prediction

_HASHED = 1 << 52
_MAX_NUMBER_DIGITS = 15


class CocoSink:
    """Writes ``coco/results.json`` and ``coco/images.json`` as frames come; both appear when it is closed.

    ``COCO("images.json").loadRes("results.json")`` of pycocotools reads them.

    Args:
        folder: The run folder.
        model_info: Gives the class names.
        resume: Whether an unfinished run may have left the files.
        part: The number of a part, whose files have a folder of their own (``coco/00000/``); None for no parts.

    Raises:
        OutputError: One of the files is there already, or cannot be made.
    """

    parallel: ClassVar[bool] = False

    def __init__(self, folder: Path, model_info: ModelInfo, *, resume: bool = False, part: int | None = None) -> None:
        folder = folder / "coco" if part is None else folder / "coco" / f"{part:05d}"
        self._class_names = dict(model_info.class_names)
        self._extra_names: dict[int, str] = {}
        self._numbers: set[int] = set()
        info = {"description": f"detections of {model_info.name}"}
        start = f'{{"info": {_to_json(info)}, "images": ['
        self._images = _JsonList(folder / "images.json", start, "]", replace=resume)
        try:
            self._results = _JsonList(folder / "results.json", "[", "]\n", replace=resume)
        except OutputError:
            self._images.discard()
            raise

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Add one frame and what was found in it."""
        record = to_record(prediction)
        image_id = self._choose_id(frame)
        self._images.append(_to_image(image_id, frame, record))
        for row in record["detections"]:
            class_id, (left, top, right, bottom) = row["class_id"], row["xyxy"]
            if class_id not in self._class_names:
                self._extra_names[class_id] = row["class_name"]
            self._results.append(
                {
                    "image_id": image_id,
                    "category_id": to_category_id(class_id, self._class_names),
                    "bbox": [left, top, round(right - left, 2), round(bottom - top, 2)],
                    "score": row["score"],
                }
            )

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Add the frame again: what there was of the files is lost, or is replaced."""
        self.write(frame, prediction)

    def close(self) -> None:
        """Complete both files."""
        names = sorted((self._class_names | self._extra_names).items())
        categories = [{"id": to_category_id(i, self._class_names), "name": name} for i, name in names]
        try:
            self._images.close(f', "annotations": [], "categories": {_to_json(categories)}}}\n')
            self._results.close()
        finally:
            self.abort()

    def abort(self) -> None:
        """Discard what is not complete."""
        self._images.discard()
        self._results.discard()

    def _choose_id(self, frame: Frame) -> int:
        number = _to_number(frame)
        if number is None or number in self._numbers:
            return compute_image_id(frame.media.output, frame.index)
        self._numbers.add(number)
        return number


def compute_image_id(output: PurePosixPath, index: int) -> int:
    """An id between 2^52 and 2^53 that a picture has in every run, whatever else is in the run."""
    digest = hashlib.sha256(f"{output}\0{index}".encode("utf-8", "surrogatepass")).digest()
    return _HASHED | int.from_bytes(digest[:8], "big") & (_HASHED - 1)


def _to_number(frame: Frame) -> int | None:
    """The id that COCO's own pictures have: the number that is their name (``000000000139.jpg``)."""
    stem = frame.media.output.stem
    whole = not is_numbered(frame)
    numeric = stem.isascii() and stem.isdecimal() and len(stem) <= _MAX_NUMBER_DIGITS
    return int(stem) if whole and numeric else None


def _to_image(image_id: int, frame: Frame, record: Mapping[str, Any]) -> dict[str, Any]:
    height, width = record["size_hw"]
    image = {"id": image_id, "file_name": record["source"], "width": width, "height": height}
    if is_numbered(frame):
        image["file_name"] = f"{record['source']}.p{record['index']:04d}"
        image |= {"source": record["source"], "index": record["index"]}
    return image


class _JsonList:
    """A JSON list that is written item by item and appears when it is complete."""

    def __init__(self, path: Path, start: str, end: str, *, replace: bool) -> None:
        self._pending: PendingFile | None = PendingFile.start(path, replace=replace)
        self._path = path
        self._end = end
        self._separator = "\n"
        with output_errors(path):
            self._stream: BinaryIO = self._pending.temporary.open("xb")
        self._write(start)

    def append(self, item: Mapping[str, Any]) -> None:
        self._write(self._separator + _to_json(item))
        self._separator = ",\n"

    def close(self, rest: str = "") -> None:
        self._write("\n" + self._end + rest)
        with output_errors(self._path):
            self._stream.close()
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.publish()

    def discard(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            _close_quietly(self._stream)
            pending.discard()

    def _write(self, text: str) -> None:
        with output_errors(self._path):
            # A lone surrogate becomes \udcff, which JSON reads as that.
            self._stream.write(text.encode("utf-8", "backslashreplace"))


def _close_quietly(stream: BinaryIO) -> None:
    try:
        stream.close()
    except OSError:
        # A full disk refuses what is buffered once more; the file is being removed.
        return


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
