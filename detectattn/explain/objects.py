"""Which objects of a picture are explained: those that the models find surest, each in a row with all who find it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

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
    """

    class_name: str
    xyxy: F32
    score: float
    rows: tuple[int | None, ...]


def choose_objects(
    found: Sequence[Detections], class_names: Sequence[Mapping[int, str]], top: int
) -> tuple[FoundObject, ...]:
    """The objects that are explained, the surest first.

    Detections of two models are of one object where they overlap by half or more and their classes bear one name; the
    surest of all is taken first, and takes from every other model the detection that overlaps it most.

    Args:
        found: What each model finds.
        class_names: Of each model, by its own index.
        top: How many objects at most.
    """
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
        name = _name(found[model], class_names[model], row)
        xyxy = found[model].xyxy[row]
        rows = tuple(
            row if other == model else _find_same(detections, class_names[other], free[other], name, xyxy)
            for other, detections in enumerate(found)
        )
        for other, taken in enumerate(rows):
            if taken is not None:
                free[other][taken] = False
        objects.append(FoundObject(name, xyxy, score, rows))
    return tuple(objects)


def _find_same(
    detections: Detections,
    class_names: Mapping[int, str],
    free: np.ndarray[tuple[int], np.dtype[np.bool_]],
    name: str,
    xyxy: F32,
) -> int | None:
    """The free detection of that name that overlaps a box most, and by half at least."""
    if not len(detections):
        return None
    same = np.array([_name(detections, class_names, row) == name for row in range(len(detections))])
    overlap = np.where(free & same, compute_iou(detections.xyxy, xyxy[None])[:, 0], 0)
    best = int(overlap.argmax())
    return best if overlap[best] >= _MIN_IOU else None


def _name(detections: Detections, class_names: Mapping[int, str], row: int) -> str:
    class_id = int(detections.class_id[row])
    return class_names.get(class_id, f"class {class_id}")
