"""Which objects of a picture are explained: those that the models find surest, each in a row with all who find it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.boxes import compute_iou
from detectattn.types import F32, Detections

_MIN_IOU = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class FoundObject:
    """An object, and who finds it.

    Attributes:
        class_name: What it is.
        xyxy: f32[4], the box of the model that is surest of it, in pixels of the picture.
        score: That model's score.
        rows: By model, in their order, the row of its detection; None for a model that does not find it.
        further: By model, how many more boxes it has of the same object; empty where that was not asked.
    """

    class_name: str
    xyxy: F32
    score: float
    rows: tuple[int | None, ...]
    further: tuple[int, ...] = ()


def choose_objects(
    found: Sequence[Detections], class_names: Sequence[Mapping[int, str]], top: int
) -> tuple[FoundObject, ...]:
    """The objects that are explained, the surest first.

    The surest detection of all is taken first. Of every model the surest that overlaps it by half or more, and whose
    class bears the same name, is of the same object; others that overlap one of these so are further boxes of it. A
    detection belongs to one object at most.

    Args:
        found: What each model finds.
        class_names: Of each model, by its own index.
        top: How many objects at most.
    """
    names = [
        np.array([by_index.get(int(c), f"class {c}") for c in detections.class_id], np.str_)
        for detections, by_index in zip(found, class_names, strict=True)
    ]
    free = [np.ones(len(detections), np.bool_) for detections in found]
    surest = sorted(
        ((float(score), model, row) for model, d in enumerate(found) for row, score in enumerate(d.score)),
        key=lambda entry: (-entry[0], entry[1], entry[2]),
    )
    objects: list[FoundObject] = []
    for score, model, row in surest:
        if len(objects) == top:
            break
        if not free[model][row]:
            continue
        name, xyxy = str(names[model][row]), found[model].xyxy[row]
        taken = [
            _take(detections, free[other] & (names[other] == name), xyxy, row if other == model else None)
            for other, detections in enumerate(found)
        ]
        for left, (_, same) in zip(free, taken, strict=True):
            left &= ~same
        rows = tuple(chosen for chosen, _ in taken)
        objects.append(FoundObject(name, xyxy, score, rows, tuple(max(0, int(same.sum()) - 1) for _, same in taken)))
    return tuple(objects)


def _take(
    detections: Detections, open_rows: NDArray[np.bool_], xyxy: F32, chosen: int | None
) -> tuple[int | None, NDArray[np.bool_]]:
    """A model's detection of an object, and all of its boxes of it: bool[D].

    Args:
        detections: Of the model.
        open_rows: bool[D], those of the object's name that are no other object's.
        xyxy: f32[4], the object's box.
        chosen: The row of that box, if it is this model's.
    """
    near = open_rows & (compute_iou(detections.xyxy, xyxy[None])[:, 0] >= _MIN_IOU)
    if not near.any():
        return None, near
    best = int(np.where(near, detections.score, -1).argmax()) if chosen is None else chosen
    beside_best = compute_iou(detections.xyxy, detections.xyxy[best][None])[:, 0] >= _MIN_IOU
    return best, near | (open_rows & beside_best)
