"""What a difference in accuracy is worth: paired bootstrap over images.

Both models are judged on the same resample of the images every time, so what is hard for both cancels out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.evaluation.average_precision import RankedMatches, class_ap, mean_ap, mean_ap50
from detectattn.evaluation.intervals import (
    CONFIDENCE,
    compute_expanded_interval,
    estimate_degrees_of_freedom,
    images_to_decide,
    is_beyond_chance,
)
from detectattn.results import MatchTable, PairedDifference
from detectattn.types import F32, I32

F64 = NDArray[np.float64]

RESAMPLES = 1000
_LEAVE_OUT_BLOCKS = 100
_MIN_IMAGES = 5


@dataclass(frozen=True, slots=True, eq=False)
class ResampledAp:
    """Average precision of one model on its images, on resamples of them, and without some of them.

    Attributes:
        class_names: Name of each class.
        class_images: i32[C], images that show the class.
        images: How many images there are.
        full: f32[T, C], on all images.
        samples: f32[R, T, C], on each resample.
        leave_out: f32[J, T, C], without each block of images.
        seed: The seed that drew the resamples; only equal ones are paired.
    """

    class_names: tuple[str, ...]
    class_images: I32
    images: int
    full: F32
    samples: F32
    leave_out: F32
    seed: int


@dataclass(frozen=True, slots=True)
class AccuracyComparison:
    """Every difference in accuracy between two models.

    Attributes:
        ap50_95: COCO's AP.
        ap50: AP at IoU 0.5.
        per_class: AP of each class that has truths. Each stands for itself: of 100 classes that do not differ, one
            will seem to.
    """

    ap50_95: PairedDifference
    ap50: PairedDifference
    per_class: tuple[PairedDifference, ...]


def draw_image_weights(images: int, resamples: int, seed: int) -> I32:
    """How often each image is drawn in every resample of as many images: i32[R, I]; the same for the same seed."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((resamples, images), np.int32)
    for row in weights if images else ():
        row += np.bincount(rng.integers(0, images, images), minlength=images).astype(np.int32)
    return weights


def leave_out_weights(images: int, seed: int) -> I32:
    """Weights 0 or 1 that leave out one block of images at a time: i32[J, I], J at most 100."""
    blocks = min(images, _LEAVE_OUT_BLOCKS)
    block = np.random.default_rng([seed, 1]).permutation(images) % max(blocks, 1)
    kept: I32 = (block != np.arange(blocks)[:, None]).astype(np.int32)
    return kept


def resample_ap(table: MatchTable, resamples: int = RESAMPLES, seed: int = 0) -> ResampledAp:
    """Average precision of one model on resamples of its images, to be set against another's with the same seed.

    Args:
        table: The model's detections under COCO's matching.
        resamples: How many times to draw.
        seed: Of the draws.
    """
    ranked = RankedMatches(table)
    images = table.image_count
    return ResampledAp(
        class_names=table.class_names,
        class_images=np.count_nonzero(table.truth_count, axis=0).astype(np.int32),
        images=images,
        full=ranked.compute()[0],
        samples=ranked.compute(draw_image_weights(images, resamples, seed)),
        leave_out=ranked.compute(leave_out_weights(images, seed)),
        seed=seed,
    )


def compare_resampled(a: ResampledAp, b: ResampledAp, confidence: float = CONFIDENCE) -> AccuracyComparison:
    """Set two models that were resampled alike against each other.

    Raises:
        ValueError: They were not judged on the same images and classes, or not resampled alike.
    """
    alike = a.class_names == b.class_names and a.images == b.images and np.array_equal(a.class_images, b.class_images)
    if not alike:
        raise ValueError("both models must be judged on the same images and classes")
    if a.seed != b.seed or len(a.samples) != len(b.samples):
        raise ValueError("both models must be resampled with the same seed, as often")
    views = [(part_a, part_b) for part_a, part_b in zip(_parts(a), _parts(b), strict=True)]
    ap = [(mean_ap(x), mean_ap(y)) for x, y in views]
    ap50 = [(mean_ap50(x), mean_ap50(y)) for x, y in views]
    by_class = [(class_ap(x), class_ap(y)) for x, y in views]
    return AccuracyComparison(
        ap50_95=_compare("ap50_95", None, ap, a.images, confidence),
        ap50=_compare("ap50", None, ap50, a.images, confidence),
        per_class=tuple(
            _compare("ap50_95", name, [(x[..., c], y[..., c]) for x, y in by_class], int(shown), confidence)
            for c, (name, shown) in enumerate(zip(a.class_names, a.class_images.tolist(), strict=True))
            if shown
        ),
    )


def compare_accuracy(
    table_a: MatchTable,
    table_b: MatchTable,
    resamples: int = RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> AccuracyComparison:
    """Set two models against each other on the same images, by paired bootstrap over images.

    Args:
        table_a: Detections of the first model.
        table_b: Detections of the second, on the same images in the same order, with the same classes and truths.
        resamples: How many times to draw.
        seed: Of the draws.
        confidence: Of the intervals, 0 to 1. What is decided asks for 0.99 besides.

    Raises:
        ValueError: The tables are not of the same images, classes and truths.
    """
    if not np.array_equal(table_a.truth_count, table_b.truth_count):
        raise ValueError("both models must be judged on the same images and classes")
    return compare_resampled(resample_ap(table_a, resamples, seed), resample_ap(table_b, resamples, seed), confidence)


def _parts(resampled: ResampledAp) -> tuple[F32, F32, F32]:
    return resampled.full, resampled.samples, resampled.leave_out


def _compare(
    metric: str, class_name: str | None, values: list[tuple[F64, F64]], images: int, confidence: float
) -> PairedDifference:
    """One difference, from both models' figures on all images, on resamples, and without blocks."""
    (full_a, full_b), samples, leave_out = values
    difference = float(full_a - full_b)
    sampled, left = samples[0] - samples[1], leave_out[0] - leave_out[1]
    interval = compute_expanded_interval(sampled, left, images, confidence)
    # A resample repeats images, which can shift AP; the figure that was seen is never outside its own interval.
    interval = interval.reaching(difference)
    error = _standard_error(sampled, images)
    certain = is_beyond_chance(difference, error, estimate_degrees_of_freedom(left, images))
    decided = images >= _MIN_IMAGES and certain and interval.excludes(0.0)
    return PairedDifference(
        metric=metric,
        class_name=class_name,
        value_a=float(full_a),
        value_b=float(full_b),
        difference=difference,
        low=interval.low,
        high=interval.high,
        decided=decided,
        standard_error=error,
        images=images,
        images_to_decide=None if decided else images_to_decide(difference, error, images),
    )


def _standard_error(samples: F64, images: int) -> float:
    known = samples[np.isfinite(samples)]
    if images < 2 or len(known) < 2:
        return math.nan
    return float(known.std(ddof=1)) * math.sqrt(images / (images - 1))
