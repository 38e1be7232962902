"""Whether scores mean what they say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Detections of about one score.

    Attributes:
        score_low: Lower end of the bin, exclusive but in the first.
        score_high: Upper end, inclusive.
        count: Detections in it.
        mean_score: What they promise; NaN in an empty bin.
        precision: What they keep: the share that is right; NaN in an empty bin.
        precision_low: Lower end of the 95% interval of the precision (Wilson); NaN in an empty bin.
        precision_high: Upper end.
    """

    score_low: float
    score_high: float
    count: int
    mean_score: float
    precision: float
    precision_low: float
    precision_high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well the scores of one model predict whether it is right.

    Attributes:
        iou_threshold: Overlap at which a detection is right.
        min_score: Detections below are left out.
        count: Detections that were looked at.
        error: Expected calibration error, 0 to 1; NaN without detections.
        perfect_error: What a model with the same scores that is calibrated perfectly would be expected to show, by
            chance alone. An error near it is no evidence of bad calibration.
        perfect_error_high: What such a model would stay below 95 times of 100.
        overconfidence: Mean score minus precision; above 0 the model promises too much.
        bins: The reliability curve.
    """

    iou_threshold: float
    min_score: float
    count: int
    error: float
    perfect_error: float
    perfect_error_high: float
    overconfidence: float
    bins: tuple[ReliabilityBin, ...]

    @property
    def miscalibrated(self) -> bool:
        """Whether the error is larger than chance explains."""
        return self.error > self.perfect_error_high
