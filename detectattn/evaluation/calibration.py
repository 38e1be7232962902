"""Whether a score means what it says: of the detections with score 0.8, are 80% right?

Detection expected calibration error after Küppers et al., "Multivariate Confidence Calibration for Object Detection"
(CVPR Workshops 2020), over the score alone: detections are binned by score, and the gaps between mean score and
precision are averaged, weighted by how many detections lie in each bin.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from detectattn.results import IOU_THRESHOLDS, Calibration, MatchTable, ReliabilityBin

F64 = NDArray[np.float64]

_PERFECT_DRAWS = 200


def compute_calibration(
    table: MatchTable, iou_threshold: float = 0.5, min_score: float = 0.25, bins: int = 10, seed: int = 0
) -> Calibration:
    """Compare scores with the share of detections that are right.

    Args:
        table: Detections under COCO's matching; ignored ones are left out.
        iou_threshold: One of COCO's ten.
        min_score: Detections below are left out: at the 0.001 of AP, background alone decides the figure.
        bins: How many of equal width, from ``min_score`` to 1.
        seed: Of the perfect model's draws.

    Raises:
        ValueError: The IoU is not one of COCO's.
    """
    level = np.flatnonzero(np.isclose(IOU_THRESHOLDS, iou_threshold))
    if len(level) == 0:
        raise ValueError(f"iou_threshold must be one of {IOU_THRESHOLDS.tolist()}, got {iou_threshold}")
    kept = (table.score >= min_score) & ~table.ignored[level[0]]
    score, right = table.score[kept].astype(np.float64), table.matched[level[0], kept]
    edges = np.linspace(min_score, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, score, side="left") - 1, 0, bins - 1)
    chance = _draw_perfect_errors(score, place, bins, seed)
    empty = len(score) == 0
    return Calibration(
        iou_threshold=iou_threshold,
        min_score=min_score,
        count=len(score),
        error=math.nan if empty else _error(score, right, place, bins),
        perfect_error=math.nan if empty else float(chance.mean()),
        perfect_error_high=math.nan if empty else float(np.quantile(chance, 0.95)),
        overconfidence=math.nan if empty else float(score.mean() - right.mean()),
        bins=tuple(_make_bin((edges[k], edges[k + 1]), score[place == k], right[place == k]) for k in range(bins)),
    )


def compute_wilson_interval(right: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Where a share lies of which ``right`` of ``count`` were seen.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927). 0 to 1 where none was seen.
    """
    if count == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, weight = right / count, 1 + z * z / count
    center = (share + z * z / (2 * count)) / weight
    reach = z / weight * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, center - reach), min(1.0, center + reach)


def _make_bin(edges: tuple[float, float], score: F64, right: NDArray[np.bool_]) -> ReliabilityBin:
    low, high = compute_wilson_interval(int(right.sum()), len(score)) if len(score) else (math.nan, math.nan)
    return ReliabilityBin(
        score_low=float(edges[0]),
        score_high=float(edges[1]),
        count=len(score),
        mean_score=float(score.mean()) if len(score) else math.nan,
        precision=float(right.mean()) if len(score) else math.nan,
        precision_low=low,
        precision_high=high,
    )


def _error(score: F64, right: NDArray[np.bool_], place: NDArray[np.intp], bins: int) -> float:
    # The count of a bin cancels: |sum of scores - number right| / all.
    gap = np.bincount(place, score, bins) - np.bincount(place, right, bins)
    return float(np.abs(gap).sum() / len(score))


def _draw_perfect_errors(score: F64, place: NDArray[np.intp], bins: int, seed: int) -> F64:
    """Errors of a model whose detections are right exactly as often as their scores say: f64[200]."""
    rng = np.random.default_rng(seed)
    draws = range(_PERFECT_DRAWS if len(score) else 0)
    return np.array([_error(score, rng.random(len(score)) < score, place, bins) for _ in draws])
