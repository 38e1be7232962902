"""Match tables of the scenes: of models, of models that are worsened a little, and of two that are exactly equal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.verdicts.scenes import BoxList
from detectattn.evaluation.align import AlignedDetections
from detectattn.evaluation.match_table import match_detections
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.results import MatchTable
from samples.scenes import CLASS_NAMES
from training.scene_cache import DRAWN_PX


def make_truth(objects: BoxList) -> GroundTruth:
    """The objects as evaluation knows them."""
    ends = np.cumsum(objects.counts)[:-1]
    boxes, classes = np.split(objects.xyxy, ends), np.split(objects.class_id, ends)
    return GroundTruth(
        CLASS_NAMES, {(str(i), 0): _to_image(b, c) for i, (b, c) in enumerate(zip(boxes, classes, strict=True))}
    )


def _to_image(xyxy: NDArray[np.float32], class_id: NDArray[np.int32]) -> ImageTruth:
    none = np.zeros(len(class_id), np.bool_)
    area = np.prod(xyxy[:, 2:].astype(np.float64) - xyxy[:, :2], axis=1)
    return ImageTruth((DRAWN_PX, DRAWN_PX), xyxy, class_id, none, none, area)


def make_table(truth: GroundTruth, found: BoxList) -> MatchTable:
    """The detections of one model, matched."""
    image = np.repeat(np.arange(len(found.counts), dtype=np.int32), found.counts)
    return match_detections(truth, AlignedDetections(image, found.class_id, found.xyxy, found.score, {}, 0, 0))


def shake(found: BoxList, strength: float, seed: int) -> BoxList:
    """The detections of a slightly worse model: corners and scores moved at random.

    Args:
        found: The detections.
        strength: Standard deviation of the corners' moves, as a share of the box's width and height; that of the moves
            of the scores' logits is ten times as much. (Corners alone leave AP50 as it is.)
        seed: Of the moves.
    """
    rng = np.random.default_rng(seed)
    size = found.xyxy[:, 2:] - found.xyxy[:, :2]
    corners = found.xyxy + rng.normal(0, strength, found.xyxy.shape) * np.hstack([size, size])
    score = np.clip(found.score.astype(np.float64), 1e-6, 1 - 1e-6)
    logit = np.log(score / (1 - score)) + rng.normal(0, 10 * strength, len(score))
    return replace(found, xyxy=corners.astype(np.float32), score=(1 / (1 + np.exp(-logit))).astype(np.float32))


def take_images(table: MatchTable, images: NDArray[np.intp]) -> MatchTable:
    """The table of some images in the order given, repeated ones as images of their own."""
    by_image = np.argsort(table.image, kind="stable")
    start = np.searchsorted(table.image[by_image], np.arange(table.image_count + 1))
    counts = np.diff(start)[images]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = by_image[np.repeat(start[images], counts) + within]
    return MatchTable(
        class_names=table.class_names,
        image=np.repeat(np.arange(len(images), dtype=np.int32), counts),
        class_index=table.class_index[rows],
        score=table.score[rows],
        matched=table.matched[:, rows],
        ignored=table.ignored[:, rows],
        truth_count=table.truth_count[images],
    )


def make_equals(a: MatchTable, b: MatchTable) -> tuple[MatchTable, MatchTable]:
    """Two models that are exactly as accurate and yet differ on every image.

    Every image is there twice. The first model detects as ``a`` in one copy and as ``b`` in the other, the second the
    other way round: over all images both have the same detections.
    """
    return _append(a, b), _append(b, a)


def _append(first: MatchTable, second: MatchTable) -> MatchTable:
    return MatchTable(
        class_names=first.class_names,
        image=np.concatenate([first.image, second.image + first.image_count]).astype(np.int32),
        class_index=np.concatenate([first.class_index, second.class_index]),
        score=np.concatenate([first.score, second.score]),
        matched=np.concatenate([first.matched, second.matched], axis=1),
        ignored=np.concatenate([first.ignored, second.ignored], axis=1),
        truth_count=np.concatenate([first.truth_count, second.truth_count]),
    )


def write_table(path: Path, table: MatchTable) -> None:
    """Write a table, as :func:`load_table` reads it."""
    arrays: dict[str, Any] = {key: np.asarray(getattr(table, key)) for key in MatchTable.__slots__}
    np.savez(path, **arrays)


def load_table(path: Path) -> MatchTable:
    """Read a table that :func:`write_table` wrote."""
    with np.load(path) as file:
        arrays = {key: file[key] for key in MatchTable.__slots__}
    return MatchTable(**arrays | {"class_names": tuple(arrays["class_names"].tolist())})
