"""What is disputed in a picture, and which detections of another pass over it are the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from detectattn.boxes import compute_iou
from detectattn.drawing.heat import find_top
from detectattn.evaluation.agreement import ImageAgreement
from detectattn.explain.objects import FoundObject
from detectattn.types import F32, Detections

MOST_DISPUTED = 6
_MIN_IOU = 0.5
_ABSENT = -1


def choose_disputed(
    image: ImageAgreement, class_names: Sequence[str], most: int = MOST_DISPUTED
) -> tuple[FoundObject, ...]:
    """The objects that not every model finds, the surest first; of each model at least its surest ``most``.

    Args:
        image: What the models find in the picture.
        class_names: By the index that its detections have.
        most: How many a model; with more than two models one may have more, where others are sure of them.

    Returns:
        Their ``rows`` are those of ``image.found``.
    """
    there = image.objects != _ABSENT
    disputed = ~there.all(axis=1)
    chosen: set[int] = set()
    for k, found in enumerate(image.found):
        own = np.flatnonzero(disputed & there[:, k])
        order = np.argsort(-found.score[image.objects[own, k]], kind="stable")
        chosen.update(own[order[:most]].tolist())
    objects = [_to_object(image, number, class_names) for number in sorted(chosen)]
    return tuple(sorted(objects, key=lambda found: -found.score))


def find_same(
    objects: Sequence[FoundObject], found: Detections, class_names: Mapping[int, str]
) -> tuple[int | None, ...]:
    """The detection that each object is, of those of another pass; none of them twice.

    Args:
        objects: With the boxes of the model whose pass it is.
        found: What that pass finds, in pixels of the same picture.
        class_names: Of that model, by its own index.

    Returns:
        By object, the row of the free detection of the same class name that overlaps its box most, and by half at
        least; None where there is none.
    """
    names = np.array([class_names.get(int(c), "").strip().casefold() for c in found.class_id], np.object_)
    free = np.ones(len(found), np.bool_)
    rows: list[int | None] = []
    for wanted in objects:
        allowed = free & (names == wanted.class_name.strip().casefold())
        overlap = np.where(allowed, compute_iou(found.xyxy, wanted.xyxy[None])[:, 0], 0.0)
        best = int(overlap.argmax()) if len(found) else 0
        if not len(found) or overlap[best] < _MIN_IOU:
            rows.append(None)
            continue
        free[best] = False
        rows.append(best)
    return tuple(rows)


def merge_maps(maps: Sequence[F32]) -> F32:
    """The brightest of several maps at every place, each by its own scale: f32[h, w], 1 for what is drawn brightest.

    Args:
        maps: f32[h, w] each, not negative; at least one.
    """
    scaled = [
        np.clip(values / top, 0, 1) if (top := find_top(values)) > 0 else np.zeros_like(values) for values in maps
    ]
    return np.asarray(np.max(scaled, axis=0), np.float32)


def _to_object(image: ImageAgreement, number: int, class_names: Sequence[str]) -> FoundObject:
    rows = tuple(None if row == _ABSENT else int(row) for row in image.objects[number].tolist())
    finders = [(found, row) for found, row in zip(image.found, rows, strict=True) if row is not None]
    surest, row = max(finders, key=lambda finder: float(finder[0].score[finder[1]]))
    name = class_names[int(surest.class_id[row])]
    return FoundObject(name, surest.xyxy[row], float(surest.score[row]), rows)
