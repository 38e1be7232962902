"""Average precision from a match table is pycocotools', on all images and on any resample of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from detectattn.evaluation.average_precision import (
    RankedMatches,
    class_ap,
    compute_average_precision,
    mean_ap,
    mean_ap50,
)
from detectattn.results import IOU_THRESHOLDS, MatchTable

ToTable = Callable[[Any], MatchTable]


def read_coco_ap(evaluation: Any) -> np.ndarray:
    """Average precision [T, C] of pycocotools, over all areas and 100 detections, NaN for an absent class."""
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    ap: np.ndarray = np.where((precision > -1).all(axis=1), precision.mean(axis=1), np.nan)
    return ap


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("crowds", [False, True])
def test_equals_pycocotools(coco_scene: Any, match_table: ToTable, seed: int, crowds: bool) -> None:
    evaluation = coco_scene(seed, images=25, classes=5, crowds=crowds).evaluate()
    ap = compute_average_precision(match_table(evaluation))
    np.testing.assert_allclose(ap, read_coco_ap(evaluation), atol=1e-6)
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    assert mean_ap(ap) == pytest.approx(precision[precision > -1].mean(), abs=1e-6)
    at_50 = precision[0][precision[0] > -1]
    assert mean_ap50(ap) == pytest.approx(at_50.mean(), abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_weights_count_images_as_copies_would(coco_scene: Any, match_table: ToTable, seed: int) -> None:
    scene = coco_scene(seed, images=10, classes=4)
    weights = np.random.default_rng(seed).integers(0, 4, (3, 10)).astype(np.int32)
    ap = RankedMatches(match_table(scene.evaluate())).compute(weights)
    for row, weight in zip(ap, weights, strict=True):
        np.testing.assert_allclose(row, read_coco_ap(scene.repeat(weight).evaluate()), atol=1e-6)


@pytest.mark.parametrize("truths", [1, 3, 7, 29, 50, 57, 100, 101, 128, 200])
def test_recalls_are_reached_where_pycocotools_says(match_table: ToTable, coco_scene: Any, truths: int) -> None:
    """0.57 is not 57 / 100 in floating point: a recall that pycocotools misses by a hair is missed here too."""
    scene = coco_scene(0, images=truths, classes=1, crowds=False)
    box = [10.0, 10.0, 50.0, 50.0]
    scene.truth["annotations"] = [
        {"id": i + 1, "image_id": i + 1, "category_id": 1, "bbox": box, "area": 2500.0, "iscrowd": 0}
        for i in range(truths)
    ]
    scene.detections[:] = [
        {"image_id": i + 1, "category_id": 1, "bbox": found, "score": 1 / (2 * i + k + 1)}
        for i in range(truths)
        for k, found in enumerate([box, [90.0, 90.0, 9.0, 9.0]])
    ]  # fmt: skip
    evaluation = scene.evaluate()
    np.testing.assert_allclose(compute_average_precision(match_table(evaluation)), read_coco_ap(evaluation), atol=1e-6)


def make_table(score: list[float], right: list[bool], truths: list[list[int]], image: list[int]) -> MatchTable:
    matched = np.tile(np.array(right, bool), (len(IOU_THRESHOLDS), 1))
    return MatchTable(
        class_names=tuple(f"class {c}" for c in range(len(truths[0]))),
        image=np.array(image, np.int32),
        class_index=np.zeros(len(score), np.int32),
        score=np.array(score, np.float32),
        matched=matched,
        ignored=np.zeros_like(matched),
        truth_count=np.array(truths, np.int32),
    )


def test_a_class_without_truths_has_no_ap_and_one_without_detections_has_zero() -> None:
    ap = compute_average_precision(make_table([0.9], [True], [[1, 0, 3]], [0]))
    np.testing.assert_array_equal(ap[0], np.array([1, np.nan, 0], np.float32))
    assert mean_ap(ap) == pytest.approx(0.5)
    np.testing.assert_array_equal(class_ap(ap), [1, np.nan, 0])


def test_no_detections_and_no_images_are_no_accident() -> None:
    ap = compute_average_precision(make_table([], [], [[1], [2]], []))
    assert (ap == 0).all()
    nothing = RankedMatches(make_table([], [], [[1], [2]], [])).compute(np.zeros((2, 2), np.int32))
    assert np.isnan(nothing).all()
    assert np.isnan(mean_ap(nothing)).all()


def test_batches_give_what_one_at_a_time_gives(drawn_tables: Any) -> None:
    ranked = RankedMatches(drawn_tables(np.random.default_rng(3), 40)[0])
    weights = np.random.default_rng(4).poisson(1, (300, 40)).astype(np.int32)
    together = ranked.compute(weights)
    apart = np.concatenate([ranked.compute(weights[i : i + 1], threads=1) for i in range(300)])
    np.testing.assert_array_equal(together, apart)


def test_weights_of_other_images_are_refused(drawn_tables: Any) -> None:
    ranked = RankedMatches(drawn_tables(np.random.default_rng(3), 5)[0])
    with pytest.raises(ValueError, match=r"weights must be i32\[B, 5\]"):
        ranked.compute(np.ones((1, 6), np.int32))
