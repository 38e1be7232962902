"""The ground truth of a study as it was applied, kept beside the records: ``truth.json``.

A study can be judged anew after the user's own file has moved or changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from detectattn.errors import UnreadableRecord
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.records import check_schema

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
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        check_schema(record)
        truth = GroundTruth(
            class_names=tuple(record["class_names"]),
            images={(image["source"], image["index"]): _from_record(image) for image in record["images"]},
            path=None if record["path"] is None else Path(record["path"]),
            format=record["format"],
            aliases=record["aliases"],
            notes=tuple(record["notes"]),
        )
        return truth, bool(record["named"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UnreadableRecord(
            f"{path} cannot be read ({type(error).__name__}: {error})", hint="Run the study anew"
        ) from error


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


def _from_record(record: dict[str, Any]) -> ImageTruth:
    height, width = record["size_hw"]
    return ImageTruth(
        size_hw=(height, width),
        xyxy=np.array(record["xyxy"], np.float32).reshape(-1, 4),
        class_index=np.array(record["class_index"], np.int32),
        crowd=np.array(record["crowd"], np.bool_),
        ignored=np.array(record["ignored"], np.bool_),
        area=np.array(record["area"], np.float64),
    )
