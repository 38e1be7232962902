"""Is a map true? Hide what it marks and see whether the detection goes; show nothing else and see whether it comes.

Deletion and insertion after Petsiuk et al., "RISE" (BMVC 2018), https://arxiv.org/abs/1806.07421, for detections as in
"D-RISE" (CVPR 2021), https://arxiv.org/abs/2006.03204: the score is that of the same class at IoU over 0.5. What is
hidden is blurred, not blackened, for a black hole is an object itself. Areas grow in geometric steps, for objects are
small: even steps would spend all but the first on background. Energy after Wang et al., "Score-CAM" (CVPRW 2020); the
pointing game after Zhang et al., "Top-down Neural Attention by Excitation Backprop" (ECCV 2016), without a margin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectattn.boxes import compute_iou
from detectattn.results.faithfulness import MapScore, PerturbationCurve, Reach
from detectattn.types import F32, U8, Detections

FRACTIONS = tuple(2.0**-k for k in range(10, 0, -1))
"""From a thousandth to half of the picture. Nothing and everything are the same for every map, and left out."""
MAX_HIDDEN_SCORE = 0.5
"""A detection that keeps more of its score than this when all is hidden says nothing about any map."""

_MIN_IOU = 0.5
_BAND_EDGES = (0.5, 1.0, 2.0)
_SIGMA_OF_PICTURE = 0.02
_SIGMA_OF_BOX = 0.25
# A wide Gaussian is blurred at a smaller size, where it is this many pixels wide.
_SIGMA_WHEN_SHRUNK = 4.0

DetectPictures = Callable[[Sequence[U8]], Sequence[Detections]]
"""Finds what is in pictures u8[h, w, 3], down to low scores, boxes in their pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A detection, and the picture that it is to be hidden in.

    Attributes:
        bgr: u8[h, w, 3], the picture at the size of the maps.
        hidden: u8[h, w, 3], the same, blurred until the detection is gone.
        xyxy: f32[4], its box in pixels of these pictures.
        class_id: Its class.
        score: What it scores in ``bgr``.
        hidden_score: What it scores in ``hidden``, as a share of that.
    """

    bgr: U8
    hidden: U8
    xyxy: F32
    class_id: int
    score: float
    hidden_score: float

    @property
    def tells(self) -> bool:
        """Whether hiding it makes enough of a difference."""
        return self.hidden_score <= MAX_HIDDEN_SCORE


def prepare_target(
    bgr: U8, detections: Detections, row: int, size_hw: tuple[int, int], detect: DetectPictures
) -> Target | None:
    """The picture of a detection at the size of its maps, and a blurred one.

    Args:
        bgr: u8[H, W, 3], the upright picture.
        detections: In its pixels.
        row: Of the detection.
        size_hw: Height and width of the maps.
        detect: The model.

    Returns:
        None where the model does not find the detection at the size of the maps.
    """
    height, width = size_hw
    small = bgr if bgr.shape[:2] == size_hw else _to_u8(cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA))
    per_px = np.array([width / bgr.shape[1], height / bgr.shape[0]] * 2, np.float32)
    xyxy = detections.xyxy[row] * per_px
    class_id = int(detections.class_id[row])
    sides = xyxy[2:] - xyxy[:2]
    sigma = max(_SIGMA_OF_PICTURE * max(size_hw), _SIGMA_OF_BOX * float(sides.max()))
    hidden = blur_picture(small, sigma)
    score, hidden_score = (find_score(found, xyxy, class_id) for found in detect([small, hidden]))
    return Target(small, hidden, xyxy, class_id, score, hidden_score / score) if score > 0 else None


def find_score(found: Detections, xyxy: F32, class_id: int) -> float:
    """The best score of a class at IoU over 0.5 with a box f32[4]; 0 where there is none."""
    near = (found.class_id == class_id) & (compute_iou(found.xyxy, xyxy[None])[:, 0] > _MIN_IOU)
    return float(found.score[near].max()) if near.any() else 0.0


def blur_picture(bgr: U8, sigma: float) -> U8:
    """A picture u8[h, w, 3] smoothed by a Gaussian of so many pixels."""
    height, width = bgr.shape[:2]
    shrink = max(1.0, sigma / _SIGMA_WHEN_SHRUNK)
    small_wh = max(1, round(width / shrink)), max(1, round(height / shrink))
    small = cv2.resize(bgr, small_wh, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small, (0, 0), sigma / shrink, borderType=cv2.BORDER_REFLECT)
    return _to_u8(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR))


def compute_curve(values: F32, target: Target, detect: DetectPictures) -> PerturbationCurve:
    """Deletion and insertion along a map.

    Args:
        values: f32[h, w], the map, of the size of the target's pictures.
        target: The detection.
        detect: The model; it is asked twice for every fraction.
    """
    order = rank_pixels(values)
    insertion: list[float] = []
    deletion: list[float] = []
    for fraction in FRACTIONS:
        first = order < max(1, round(fraction * order.size))
        shown = np.where(first[..., None], target.bgr, target.hidden)
        hidden = np.where(first[..., None], target.hidden, target.bgr)
        found = detect([shown, hidden])
        for curve, picture in zip((insertion, deletion), found, strict=True):
            curve.append(find_score(picture, target.xyxy, target.class_id) / target.score)
    return PerturbationCurve(FRACTIONS, tuple(insertion), tuple(deletion))


def rank_pixels(values: F32) -> NDArray[np.int64]:
    """The place of every pixel of a map f32[h, w] when the brightest come first: i64[h, w], 0 for the brightest.

    Equal pixels come in a random order that is always the same: in the order of reading, the top of the picture would
    come first.
    """
    flat = np.nan_to_num(values.ravel(), nan=-np.inf)
    chance = np.random.default_rng(0).permutation(flat.size)
    order = chance[np.argsort(-flat[chance], kind="stable")]
    rank = np.empty(flat.size, np.int64)
    rank[order] = np.arange(flat.size)
    return rank.reshape(values.shape)


def score_map(method: str, values: F32, xyxy: F32, curve: PerturbationCurve | None = None) -> MapScore:
    """Energy, pointing game and reach of a map.

    Args:
        method: Key of the method.
        values: f32[h, w], not negative.
        xyxy: f32[4], the box in pixels of the map.
        curve: Deletion and insertion, where they are known.
    """
    reach = compute_reach(values, xyxy)
    row, column = divmod(_find_brightest(values), values.shape[1])
    x, y = column + 0.5, row + 0.5
    pointing = bool(xyxy[0] <= x <= xyxy[2] and xyxy[1] <= y <= xyxy[3])
    return MapScore(method, reach.shares[0], pointing and reach.shares[0] == reach.shares[0], reach, curve)


def _find_brightest(values: F32) -> int:
    """The pixel that :func:`rank_pixels` puts first, in the order of reading."""
    brightest = np.flatnonzero(values == np.nanmax(values, initial=-np.inf))
    # Sorting all pixels takes far longer, and is needed only where several are the brightest.
    return int(brightest[0]) if len(brightest) == 1 else int(rank_pixels(values).argmin())


def compute_reach(values: F32, xyxy: F32) -> Reach:
    """How a map's mass f32[h, w] lies around a box f32[4] in its pixels."""
    distance = _measure_distance(values.shape, xyxy)
    band = np.where(distance == 0, 0, 1 + np.searchsorted(_BAND_EDGES, distance))
    count = len(_BAND_EDGES) + 2
    mass = np.bincount(band.ravel(), values.ravel().astype(np.float64), count)
    area = np.bincount(band.ravel(), minlength=count) / values.size
    total = mass.sum()
    shares = mass / total if total > 0 else np.full(count, np.nan)
    return Reach(tuple(map(float, shares)), tuple(map(float, area)))


def _measure_distance(shape: tuple[int, ...], xyxy: F32) -> NDArray[np.float64]:
    """Of every pixel's centre from the box, in sizes of the box: f64[h, w]."""
    left, top, right, bottom = (float(v) for v in xyxy)
    x, y = np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5
    across = np.maximum(np.maximum(left - x, x - right), 0) / max(right - left, 1.0)
    down = np.maximum(np.maximum(top - y, y - bottom), 0) / max(bottom - top, 1.0)
    distance: NDArray[np.float64] = np.maximum(across[None, :], down[:, None])
    return distance


def _to_u8(pixels: object) -> U8:
    return np.asarray(pixels, np.uint8)
