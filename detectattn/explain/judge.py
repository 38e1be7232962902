"""From the scores of single maps to what a method is worth."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from detectattn.evaluation.intervals import CONFIDENCE, compute_t_quantile
from detectattn.results.explanation import MeanFigure, MethodFigures, Worth
from detectattn.results.faithfulness import MapScore

RANDOM = "random"
BOX = "box_blob"
BASELINES = (RANDOM, BOX)
_MIN_IMAGES = 4
# On fewer units an interval that holds 0 says that they are few, and nothing of the method.
_MIN_UNITS_TO_REJECT = 6


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """The maps of one detection.

    Attributes:
        picture: Which picture it is in: source and index.
        scores: By method.
        milliseconds: What each map took, by method.
    """

    picture: tuple[str, int]
    scores: Mapping[str, MapScore]
    milliseconds: Mapping[str, float]


def judge_methods(
    detections: Sequence[DetectionScores], titles: Mapping[str, tuple[str, str]]
) -> tuple[MethodFigures, ...]:
    """What every method is worth on a model's detections, the most faithful first; then the baselines.

    Args:
        detections: Of one model, over all pictures.
        titles: Title and meaning of the methods, in the order in which equals are listed.
    """
    figures = [judge_method(name, *titles[name], detections) for name in titles if _have(name, detections)]
    return tuple(sorted(figures, key=_rank))


def judge_method(method: str, title: str, meaning: str, detections: Sequence[DetectionScores]) -> MethodFigures:
    """What one method is worth.

    It *says more than the box* where its faithfulness exceeds that of both baselines, paired by detection, with 95%
    intervals above 0. One whose difference from the random map has not that is *no better than random*, one that fails
    against the blob alone says *no more than the box*. On fewer than six units a failure is *not decided*.

    Args:
        method: Its key; every detection here that lacks it is left out.
        title: Its name.
        meaning: What a bright spot says.
        detections: Of one model.
    """
    rows = [d for d in detections if method in d.scores]
    scores = [d.scores[method] for d in rows]
    over = {name: _compare(method, name, rows) for name in BASELINES}
    curves = [s.curve for s in scores if s.curve is not None]
    return MethodFigures(
        method=method,
        title=title,
        meaning=meaning,
        worth=_name_worth(method, over[RANDOM], over[BOX]),
        detections=len(scores),
        energy=average([(d.picture, d.scores[method].energy) for d in rows]),
        pointing=average([(d.picture, float(d.scores[method].pointing)) for d in rows]),
        reach=_mean_rows([s.reach.shares for s in scores]),
        area=_mean_rows([s.reach.area for s in scores]),
        faithfulness=_average_known([(d.picture, _faithfulness(d, method)) for d in rows]),
        insertion=_mean_rows([c.insertion for c in curves]),
        deletion=_mean_rows([c.deletion for c in curves]),
        over_random=over[RANDOM],
        over_box=over[BOX],
        milliseconds=float(np.mean([d.milliseconds.get(method, math.nan) for d in rows])),
    )


def average(values: Sequence[tuple[tuple[str, int], float]]) -> MeanFigure:
    """Mean of one figure of many detections, with an interval over images, for detections of one image resemble it.

    The units are the means of the images: Student's t over them. With fewer than four images the detections are the
    units, and the interval speaks about these images alone.

    Args:
        values: The picture and the figure of each detection; figures that are NaN are left out.
    """
    by_picture: dict[tuple[str, int], list[float]] = defaultdict(list)
    for picture, value in values:
        if math.isfinite(value):
            by_picture[picture].append(value)
    if len(by_picture) >= _MIN_IMAGES:
        return _to_figure([float(np.mean(v)) for v in by_picture.values()], "image")
    return _to_figure([v for found in by_picture.values() for v in found], "detection")


def _to_figure(units: Sequence[float], unit: Literal["image", "detection"]) -> MeanFigure:
    count = len(units)
    mean = float(np.mean(units)) if count else math.nan
    if count < 2:
        return MeanFigure(mean, math.nan, math.nan, count, unit)
    reach = compute_t_quantile(0.5 + CONFIDENCE / 2, count - 1) * float(np.std(units, ddof=1)) / math.sqrt(count)
    return MeanFigure(mean, mean - reach, mean + reach, count, unit)


def _average_known(values: Sequence[tuple[tuple[str, int], float]]) -> MeanFigure | None:
    known = [(picture, value) for picture, value in values if math.isfinite(value)]
    return average(known) if known else None


def _compare(method: str, other: str, rows: Sequence[DetectionScores]) -> MeanFigure | None:
    """Faithfulness of a method less that of another, of the detections that have both."""
    if method in BASELINES:
        return None
    return _average_known([(d.picture, _faithfulness(d, method) - _faithfulness(d, other)) for d in rows])


def _faithfulness(detection: DetectionScores, method: str) -> float:
    score = detection.scores.get(method)
    return math.nan if score is None or score.curve is None else score.curve.faithfulness


def _name_worth(method: str, over_random: MeanFigure | None, over_box: MeanFigure | None) -> Worth:
    if method in BASELINES:
        return "baseline"
    if over_random is None or over_box is None or math.isnan(over_random.low):
        return "not decided"
    if over_random.low > 0 and over_box.low > 0:
        return "says more than the box"
    if over_random.units < _MIN_UNITS_TO_REJECT:
        return "not decided"
    return "no better than random" if over_random.low <= 0 else "no more than the box"


def _rank(figures: MethodFigures) -> tuple[bool, float]:
    value = math.inf if figures.faithfulness is None else -figures.faithfulness.value
    return figures.method in BASELINES, value


def _mean_rows(rows: Sequence[Sequence[float]]) -> tuple[float, ...]:
    known = [row for row in rows if not any(map(math.isnan, row))]
    return tuple(float(v) for v in np.mean(known, axis=0)) if known else ()


def _have(method: str, detections: Sequence[DetectionScores]) -> bool:
    return any(method in d.scores for d in detections)
