"""Predictions made elsewhere: COCO results JSON, or records of this project, from any detector in the world.

COCO results (https://cocodataset.org/#format-results) name images and classes by ids alone. What the ids mean is
looked up in the file itself where it is a whole data set, in an ``images.json`` beside it (as our own ``--save coco``
writes it), or in the ground truth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from detectattn.errors import BrokenPredictions
from detectattn.evaluation.image_names import ImageName, match_images, name_examples
from detectattn.evaluation.truth import CocoIndex, FrameKey, count_of
from detectattn.evaluation.truth_coco import read_index, to_id
from detectattn.evaluation.truth_json import find_line, is_number, is_pixels, load_json
from detectattn.records import iter_records
from detectattn.types import Detections, Prediction

_HINT = "Give COCO results, a list of {image_id, category_id, bbox, score}, or a predictions.jsonl"
_MAX_SCORE = 1e30
"""Scores of other detectors may be logits; beyond this single precision ends."""


@dataclass(frozen=True, slots=True, eq=False)
class ForeignPredictions:
    """Predictions made elsewhere, in the terms of records.

    Attributes:
        predictions: One for each image that the file can speak of, in its order; images without detections included.
        class_names: Name by class index.
        notes: What was left out. Sentences without a final full stop.
    """

    predictions: tuple[Prediction, ...]
    class_names: Mapping[int, str]
    notes: tuple[str, ...] = ()


def load_foreign(
    path: Path,
    model: str,
    index: CocoIndex | None = None,
    frames: Mapping[FrameKey, tuple[int, int]] | None = None,
    roots: Sequence[Path] = (),
) -> ForeignPredictions:
    """Read predictions that another detector or run made.

    Args:
        path: COCO results (``.json``), records (``.jsonl``), or a run's folder.
        model: The name that they take part under.
        index: What ids mean, of a COCO ground truth.
        frames: Height and width by key of the pictures of the study; None takes names as the file has them.
        roots: What was given as sources.

    Raises:
        BrokenPredictions: It cannot be read, or speaks of other images or unknown classes; line and key are named.
        UnreadableRecord: A line of a ``.jsonl`` is no record.
        SourceNotFound: There is no such ``.jsonl``.
        AmbiguousTruth: Names do not tell pictures apart.
    """
    is_records = path.suffix.lower() == ".jsonl" or path.is_dir()
    found = _load_records(path, model) if is_records else _load_results(path, model, index, frames)
    return found if frames is None else _rename(found, path, frames, roots)


def _load_records(path: Path, model: str) -> ForeignPredictions:
    predictions = tuple(replace(prediction, model=model) for prediction in iter_records(path))
    class_names: dict[int, str] = {}
    for prediction in predictions:
        class_names.update(prediction.class_names)
    return ForeignPredictions(predictions, dict(sorted(class_names.items())))


def _rename(
    found: ForeignPredictions, path: Path, frames: Mapping[FrameKey, tuple[int, int]], roots: Sequence[Path]
) -> ForeignPredictions:
    """The predictions for pictures of the study, under their names."""
    own = list(dict.fromkeys((p.source, p.index) for p in found.predictions))
    keys = {own[i]: key for i, key in match_images([ImageName(*key) for key in own], frames, roots).items()}
    if not keys:
        raise BrokenPredictions(
            f"{path} holds predictions for other images: it speaks of {name_examples(source for source, _ in own)}, "
            f"and the images are {name_examples(source for source, _ in frames)}",
            hint="Give the predictions for these images, or the images that were predicted",
        )
    kept = tuple(_move(p, key, frames[key]) for p in found.predictions if (key := keys.get((p.source, p.index))))
    others = sum((p.source, p.index) not in keys and len(p.detections) > 0 for p in found.predictions)
    notes = (f"left out: predictions for {count_of(others, 'image')} not among these",) if others else ()
    return replace(found, predictions=kept, notes=(*found.notes, *notes))


def _move(prediction: Prediction, key: FrameKey, size_hw: tuple[int, int]) -> Prediction:
    """The prediction under another key, boxes scaled where it was made on another size of the image."""
    source, index = key
    found = prediction.detections
    height, width = prediction.size_hw
    if min(height, width) > 0 and max(abs(height - size_hw[0]), abs(width - size_hw[1])) > 1:
        scale = np.array([size_hw[1] / width, size_hw[0] / height] * 2)
        found = replace(found, xyxy=(found.xyxy * scale).astype(np.float32))
    return replace(prediction, source=source, index=index, size_hw=size_hw, detections=found)


def _load_results(
    path: Path, model: str, index: CocoIndex | None, frames: Mapping[FrameKey, tuple[int, int]] | None
) -> ForeignPredictions:
    content = load_json(path, BrokenPredictions, _HINT)
    place: tuple[str, ...] = ()
    own: CocoIndex | None = None
    if isinstance(content, dict) and "annotations" in content:
        own, content, place = read_index(path, content), content["annotations"], ("annotations",)
    if not isinstance(content, list):
        raise BrokenPredictions(f"{path} is no list of detections", hint=_HINT)
    index = own or _find_index(path, index, frames, content)
    rows, strangers = _ResultReader(path, place, index).read(content)
    class_names = dict(enumerate(index.categories.values()))
    predictions = tuple(
        Prediction(name, number, size_hw or (0, 0), _to_detections(rows.get(image_id, [])), model, class_names)
        for image_id, (name, number, size_hw) in index.images.items()
    )
    left_out = count_of(strangers, "detection")
    notes = (f"left out: {left_out} of images that {index.path} does not list",) if strangers else ()
    return ForeignPredictions(predictions, class_names, notes)


def _find_index(
    path: Path, truth: CocoIndex | None, frames: Collection[FrameKey] | None, content: Iterable[Any]
) -> CocoIndex:
    beside = path.with_name("images.json")
    if beside.is_file() and beside != path:
        return read_index(beside, load_json(beside, BrokenPredictions, _HINT))
    if truth is not None:
        return truth
    names = {str(item["category_name"]) for item in content if isinstance(item, dict) and "category_name" in item}
    if names and frames is not None:
        images = {str(i): (source, number, None) for i, (source, number) in enumerate(frames)}
        return CocoIndex(path, images, {name: name for name in sorted(names)})
    raise BrokenPredictions(
        f"{path} names images and classes by number, and nothing says what the numbers mean",
        hint=f"Give the COCO ground truth with --truth, or put {beside.name} with images and categories beside it",
    )


class _ResultReader:
    """Groups detections by image."""

    def __init__(self, path: Path, place: tuple[str, ...], index: CocoIndex) -> None:
        self._path = path
        self._place = place
        self._index = index
        self._class_ids = {category_id: i for i, category_id in enumerate(index.categories)}
        self._by_stem = _index_stems(index)

    def read(self, content: list[Any]) -> tuple[dict[str, list[tuple[list[float], float, int]]], int]:
        """Box, score and class of each detection by image id, and how many are of unknown images."""
        rows: dict[str, list[tuple[list[float], float, int]]] = defaultdict(list)
        strangers, first_stranger = 0, ""
        for number, item in enumerate(content):
            image_id = self._find_image(number, item)
            if image_id is None:
                strangers += 1
                first_stranger = first_stranger or to_id(item.get("image_id"))
                continue
            score = self._field(number, item, "score")
            if not is_number(score) or abs(score) > _MAX_SCORE:
                raise self._broken(number, "score", f"must be a number, got {score!r}")
            rows[image_id].append((self._read_box(number, item), float(score), self._find_class(number, item)))
        if content and not rows:
            raise BrokenPredictions(
                f"{self._path} holds predictions for other images: it speaks of image_id {first_stranger}, "
                f"and {self._index.path} has {name_examples(iter(self._index.images))}",
                hint="Give the predictions for these images, or the ground truth they were made for",
            )
        return rows, strangers

    def _find_image(self, number: int, item: Any) -> str | None:
        """By id; or by name, for tools that write the file's name for an id."""
        if isinstance(item, dict) and isinstance(item.get("file_name"), str):
            by_name = self._by_stem.get(PurePosixPath(item["file_name"]).stem)
            if by_name is not None:
                return by_name
        image_id = to_id(self._field(number, item, "image_id"))
        return image_id if image_id in self._index.images else self._by_stem.get(PurePosixPath(image_id).stem)

    def _find_class(self, number: int, item: Mapping[str, Any]) -> int:
        for key in ("category_id", "category_name"):
            class_id = self._class_ids.get(to_id(item.get(key)))
            if class_id is not None:
                return class_id
        self._field(number, item, "category_id")
        known = name_examples(iter(self._class_ids))
        raise self._broken(number, "category_id", f"is {item['category_id']}, and {self._index.path} has {known}")

    def _read_box(self, number: int, item: Mapping[str, Any]) -> list[float]:
        box = self._field(number, item, "bbox")
        if not isinstance(box, list) or len(box) != 4 or not all(is_pixels(value) for value in box):
            raise self._broken(number, "bbox", f"must be [left, top, width, height], got {str(box)[:80]}")
        if box[2] < 0 or box[3] < 0:
            raise self._broken(number, "bbox", f"has a negative width or height: {box}")
        return box

    def _field(self, number: int, item: Any, key: str) -> Any:
        if not isinstance(item, dict) or item.get(key) is None:
            raise self._broken(number, key, "is missing")
        return item[key]

    def _broken(self, number: int, key: str, problem: str) -> BrokenPredictions:
        line = find_line(self._path, (*self._place, number, key))
        where = "".join(self._place)
        return BrokenPredictions(f"{self._path}, line {line}: {where}[{number}].{key} {problem}", hint=_HINT)


def _index_stems(index: CocoIndex) -> dict[str, str]:
    """Image id by the file name's stem, with and without leading zeros; stems that several images share are missing."""
    ids: dict[str, set[str]] = defaultdict(set)
    for image_id, (name, _, _) in index.images.items():
        stem = PurePosixPath(name).stem
        for key in {stem, stem.lstrip("0") or "0"} if stem.isdecimal() else {stem}:
            ids[key].add(image_id)
    return {stem: next(iter(found)) for stem, found in ids.items() if len(found) == 1}


def _to_detections(rows: Sequence[tuple[list[float], float, int]]) -> Detections:
    """Best first; equal scores keep their order, as COCO's evaluation keeps it."""
    ltwh = np.array([row[0] for row in rows], np.float64).reshape(-1, 4)
    score = np.array([row[1] for row in rows], np.float64)
    order = np.argsort(-score, kind="stable")
    xyxy = np.concatenate([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]], axis=1)[order]
    class_id = np.array([row[2] for row in rows], np.int32)[order]
    return Detections(xyxy.astype(np.float32), score[order].astype(np.float32), class_id)
