"""What explaining pictures says of a model's maps, over all detections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Worth = Literal["baseline", "says more than the box", "no more than the box", "no better than random", "not decided"]
"""What a map is good for, by its differences from both baselines: :func:`detectattn.explain.judge.judge_method`."""


@dataclass(frozen=True, slots=True)
class MeanFigure:
    """A mean with its 95% interval.

    Attributes:
        value: Mean over units.
        low: Lower end; NaN with a single unit.
        high: Upper end.
        units: How many there are.
        unit: ``image``; ``detection`` where the images are fewer than four.
    """

    value: float
    low: float
    high: float
    units: int
    unit: Literal["image", "detection"]


@dataclass(frozen=True, slots=True)
class MethodFigures:
    """One method over all detections of a model.

    Attributes:
        method: Its key.
        title: Its name.
        meaning: What a bright spot says.
        worth: What it is good for.
        detections: How many maps there are.
        energy: Share of the mass inside the box.
        pointing: Share of maps whose brightest pixel lies inside the box.
        reach: Mean share of the mass by distance from the box (:data:`~detectattn.results.faithfulness.REACH_BANDS`).
        area: The same of the picture's area: what a map without any preference would have.
        faithfulness: Insertion less deletion; None where no curve was computed.
        insertion: Mean curve, by fraction of the picture; empty likewise.
        deletion: Mean curve; empty likewise.
        over_random: Faithfulness less that of the random map, paired by detection; None likewise.
        over_box: Faithfulness less that of the blob on the box, paired by detection; None likewise.
        milliseconds: Mean time to make one map, after the pass that all maps of a picture share.
    """

    method: str
    title: str
    meaning: str
    worth: Worth
    detections: int
    energy: MeanFigure
    pointing: MeanFigure
    reach: tuple[float, ...]
    area: tuple[float, ...]
    faithfulness: MeanFigure | None
    insertion: tuple[float, ...]
    deletion: tuple[float, ...]
    over_random: MeanFigure | None
    over_box: MeanFigure | None
    milliseconds: float
