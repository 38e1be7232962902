"""The ground truth of a study as it was applied, kept beside the records: ``truth.json``.

A study can be judged anew after the user's own file has moved or changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detectattn.compare.from_json import from_json, open_json
from detectattn.evaluation.truth import FrameKey, GroundTruth, ImageTruth, TruthFormat

_SCHEMA = 1


def truth_to_json(truth: GroundTruth, *, named: bool) -> str:
    """The text of ``truth.json``; one line an image.

    Args:
        truth: As applied: placed, classes mapped.
        named: Whether a person named it.
    """
    head = {
        "schema": _SCHEMA,
        "path": None if truth.path is None else str(truth.path),
        "format": truth.format,
        "named": named,
        "class_names": truth.class_names,
        "aliases": dict(truth.aliases),
        "notes": truth.notes,
    }
    images = (json.dumps(_to_record(key, image), ensure_ascii=False) for key, image in truth.images.items())
    lines = ",\n".join(images)
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "images": [\n{lines}\n]}}\n'


def load_stored_truth(path: Path) -> tuple[GroundTruth, bool]:
    """The ground truth, and whether a person named it.

    Raises:
        NewerSchema: It was written by a later version.
        UnreadableRecord: It is damaged.
    """
    with open_json(path, "Run the study anew") as record:
        stored = from_json(_StoredTruth, record)
        images = [_to_image(image, len(stored.class_names)) for image in record["images"]]
        if any(index not in range(len(stored.class_names)) for index in stored.aliases.values()):
            raise ValueError("aliases name a class that is not listed")
        truth = GroundTruth(
            class_names=stored.class_names,
            images=dict(images),
            path=None if stored.path is None else Path(stored.path),
            format=stored.format,
            aliases=stored.aliases,
            notes=stored.notes,
        )
        return truth, stored.named


@dataclass(frozen=True, slots=True)
class _StoredTruth:
    """What ``truth.json`` says besides the images."""

    path: str | None
    format: TruthFormat | None
    named: bool
    class_names: tuple[str, ...]
    aliases: Mapping[str, int]
    notes: tuple[str, ...]


def _to_record(key: tuple[str, int], image: ImageTruth) -> dict[str, Any]:
    return {
        "source": key[0],
        "index": key[1],
        "size_hw": image.size_hw,
        "xyxy": image.xyxy.tolist(),
        "class_index": image.class_index.tolist(),
        "crowd": image.crowd.tolist(),
        "ignored": image.ignored.tolist(),
        "area": image.area.tolist(),
    }


def _to_image(record: Mapping[str, Any], classes: int) -> tuple[FrameKey, ImageTruth]:
    source, index, size_hw = (
        from_json(str, record["source"], "source"),
        from_json(int, record["index"], "index"),
        from_json(tuple[int, int], record["size_hw"], "size_hw"),
    )
    with np.errstate(over="ignore"):
        xyxy = np.array(record["xyxy"], np.float32).reshape(-1, 4)
    image = ImageTruth(
        size_hw=size_hw,
        xyxy=xyxy,
        class_index=np.array(record["class_index"], np.int32).reshape(-1),
        crowd=np.array(record["crowd"], np.bool_).reshape(-1),
        ignored=np.array(record["ignored"], np.bool_).reshape(-1),
        area=np.array(record["area"], np.float64).reshape(-1),
    )
    if min(size_hw) < 1 or not (np.isfinite(image.xyxy).all() and np.isfinite(image.area).all()):
        raise ValueError(f"{source} has a size or a box that none can have")
    if not ((image.class_index >= 0) & (image.class_index < classes)).all():
        raise ValueError(f"{source} has an object of a class that is not listed")
    return (source, index), image
