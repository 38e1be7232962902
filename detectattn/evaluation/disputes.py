"""The most disputed images as a list, and as pre-labels that a labelling tool can open.

A person who corrects the labels of a few disputed images learns more about which model is right than from many images
on which all agree.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import yaml

from detectattn.boxes import clip_boxes, xyxy_to_ltwh
from detectattn.evaluation.agreement import Agreement, ImageAgreement
from detectattn.sinks.cells import to_cell
from detectattn.sinks.files import write_new_file
from detectattn.sinks.yolo import render_labels
from detectattn.sources.naming import to_output_name, to_url_output_name
from detectattn.types import Detections

_ABSENT = -1


@dataclass(frozen=True, slots=True, eq=False)
class PreLabels:
    """One box an object, as a start for a person who labels.

    Attributes:
        detections: The surest finder's box of each object, cut at the picture's edges, best first.
        found_by: Names of the models that find each.
    """

    detections: Detections
    found_by: tuple[tuple[str, ...], ...]


def select_disputed(agreement: Agreement, limit: int | None = None) -> tuple[ImageAgreement, ...]:
    """The images on which the models disagree at all, most disputed first, at most ``limit`` of them."""
    disputed = tuple(image for image in agreement.images if image.disagreement > 0)
    return disputed[:limit]


def to_pre_labels(image: ImageAgreement, models: Sequence[str]) -> PreLabels:
    """One box for every object that any model finds in a picture."""
    objects = image.objects
    scores = np.full(objects.shape, -np.inf, np.float32)
    for k, found in enumerate(image.found):
        there = objects[:, k] != _ABSENT
        scores[there, k] = found.score[objects[there, k]]
    best = scores.argmax(axis=1) if len(objects) else np.zeros(0, np.intp)
    rows = [(image.found[k], int(objects[o, k])) for o, k in enumerate(best.tolist())]
    xyxy = np.array([found.xyxy[row] for found, row in rows], np.float32).reshape(-1, 4)
    score = np.array([found.score[row] for found, row in rows], np.float32)
    order = np.argsort(-score, kind="stable")
    labels = Detections(clip_boxes(xyxy, image.size_hw)[order], score[order], image.class_index[order])
    found_by = [tuple(m for k, m in enumerate(models) if objects[o, k] != _ABSENT) for o in order.tolist()]
    return PreLabels(labels, tuple(found_by))


def render_dispute_list(agreement: Agreement, images: Sequence[ImageAgreement]) -> str:
    """The images as CSV: rank, source, index, disagreement, what all find, and what each model alone finds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["rank", "source", "index", "disagreement", "all", *(to_cell(f"only {m}") for m in agreement.models)]
    )
    for rank, image in enumerate(images, start=1):
        there = image.objects != _ABSENT
        single = there.sum(axis=1) == 1
        alone = [int((single & there[:, k]).sum()) for k in range(len(agreement.models))]
        everyone = int(there.all(axis=1).sum())
        writer.writerow([rank, to_cell(image.source), image.index, f"{image.disagreement:.4f}", everyone, *alone])
    return text.getvalue()


def to_coco(agreement: Agreement, images: Sequence[ImageAgreement]) -> dict[str, Any]:
    """Pre-labels as a COCO ground truth file, ids from 1; each annotation says its score and which models find it."""
    content: dict[str, Any] = {
        "info": {"description": f"pre-labels of {', '.join(agreement.models)}, most disputed images first"},
        "images": [],
        "annotations": [],
        "categories": [{"id": c + 1, "name": name} for c, name in enumerate(agreement.class_names)],
    }
    for image_id, image in enumerate(images, start=1):
        height, width = image.size_hw
        name = image.source if image.index == 0 else f"{image.source}.p{image.index:04d}"
        content["images"].append({"id": image_id, "file_name": name, "width": width, "height": height})
        labels = to_pre_labels(image, agreement.models)
        boxes = xyxy_to_ltwh(labels.detections.xyxy).tolist()
        found = zip(boxes, labels.detections.score.tolist(), labels.detections.class_id.tolist(), strict=True)
        for (box, score, class_index), models in zip(found, labels.found_by, strict=True):
            content["annotations"].append(
                {
                    "id": len(content["annotations"]) + 1,
                    "image_id": image_id,
                    "category_id": class_index + 1,
                    "bbox": [round(v, 2) for v in box],
                    "area": round(box[2] * box[3], 2),
                    "iscrowd": 0,
                    "score": round(score, 5),
                    "attributes": {"found_by": list(models)},
                }
            )
    return content


def write_disputes(folder: Path, agreement: Agreement, limit: int | None = 100) -> tuple[ImageAgreement, ...]:
    """Write the disputed images' list and pre-labels: ``disputed.csv``, ``coco.json``, ``yolo/``.

    Args:
        folder: Where to; made where it is missing.
        agreement: What the models make of the images.
        limit: How many images at most.

    Returns:
        The images that were written, most disputed first.

    Raises:
        OutputError: One of the files is there already, or cannot be written.
    """
    images = select_disputed(agreement, limit)
    write_new_file(folder / "disputed.csv", _encode(render_dispute_list(agreement, images)))
    coco = json.dumps(to_coco(agreement, images), ensure_ascii=False, allow_nan=False, indent=1)
    write_new_file(folder / "coco.json", _encode(coco + "\n"))
    taken: set[str] = set()
    for image in images:
        labels = to_pre_labels(image, agreement.models).detections
        name = _label_name(image, taken)
        write_new_file(folder / "yolo" / "labels" / f"{name}.txt", _encode(render_labels(labels, image.size_hw)))
    names = dict(enumerate(agreement.class_names))
    header = {"train": "images", "val": "images", "names": names}
    text = yaml.safe_dump(header, allow_unicode=True, sort_keys=False)
    write_new_file(folder / "yolo" / "data.yaml", _encode(text))
    return images


def _label_name(image: ImageAgreement, taken: set[str]) -> PurePosixPath:
    """Where a picture's labels go: its own path without suffix, never outside the folder, each name once."""
    whole = _to_url_place(image.source)
    if whole is None:
        path = PurePosixPath(image.source.replace("\\", "/"))
        parts = [to_output_name(p) for p in path.parts if p not in ("/", "..")]
        # Of a path that is not below the folder of images, only the name can be a place below ours.
        parts = parts[-1:] if path.is_absolute() or ".." in path.parts else parts
        whole = PurePosixPath(*(parts or ["_"]))
    marked = whole if image.index == 0 else whole.with_name(f"{whole.name}.p{image.index:04d}")
    wanted = [whole.with_suffix("")] if image.index == 0 else []
    numbered = (marked.with_name(f"{marked.name}_{n}") for n in count(2))
    candidates = chain(wanted, [marked], numbered)
    free = next(c for c in candidates if str(c).casefold() not in taken)
    taken.add(str(free).casefold())
    return free


def _to_url_place(source: str) -> PurePosixPath | None:
    try:
        return PurePosixPath(to_url_output_name(source)) if "://" in source else None
    except ValueError:  # one that only looks like an address
        return None


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
