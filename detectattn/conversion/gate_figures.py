"""What the parity gate measured, as it travels in the engine cache and in ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RawFigures:
    """Raw outputs of two models set against each other, on the rows that the reference scores highest.

    Attributes:
        picture_count: Pictures they come from.
        row_count: Rows compared, over all pictures.
        box_error: Mean distance of corners over the mean side of the boxes.
        score_error: Sum of the differences of scores over the sum of scores (of a hundredth a row where it is less).
        box_floor: ``box_error`` of the reference against itself on the same pictures with noise of a millionth: how far
            rounding alone moves its outputs.
        score_floor: ``score_error`` of the same.
    """

    picture_count: int
    row_count: int
    box_error: float
    score_error: float
    box_floor: float
    score_floor: float


@dataclass(frozen=True, slots=True)
class AccuracyFigures:
    """What both models score on ground truth, by COCO's protocol.

    Attributes:
        picture_count: Pictures with ground truth.
        object_count: Objects in them.
        reference_ap50_95: AP of the reference, 0 to 1.
        candidate_ap50_95: AP of the candidate.
    """

    picture_count: int
    object_count: int
    reference_ap50_95: float
    candidate_ap50_95: float

    @property
    def drop(self) -> float:
        """By how much the candidate's AP lies below the reference's; negative where it lies above."""
        return self.reference_ap50_95 - self.candidate_ap50_95


@dataclass(frozen=True, slots=True)
class GateFigures:
    """A converted model against the model it was made from, on the same pictures.

    Attributes:
        picture_count: Pictures both models saw.
        conf: Operating threshold.
        reference_count: Detections of the reference above it.
        candidate_count: Detections of the candidate above it.
        unmatched_count: Detections of either above it for which the other has none of the class, with an IoU of 0.5,
            even somewhat below the threshold.
        pair_count: Pairs, one of each model and at least one above the threshold, on which drift was measured.
        box_px_p50: Median distance of the corner that moved most, in pixels of the network's input; None without pairs.
        box_px_p99: 99 of 100 pairs moved by no more; with fewer pairs, all but one.
        box_share_p50: The same distance as a share of the box, of the mean of its sides: median.
        box_share_p99: 99 of 100.
        score_p50: Median difference of scores.
        score_p99: 99 of 100 differ by no more; with fewer pairs, all but one.
        raw: Raw outputs, where the detections are too few to judge by and the outputs can be set against each other.
        accuracy: AP, where there was ground truth.
    """

    picture_count: int
    conf: float
    reference_count: int
    candidate_count: int
    unmatched_count: int
    pair_count: int
    box_px_p50: float | None
    box_px_p99: float | None
    box_share_p50: float | None
    box_share_p99: float | None
    score_p50: float | None
    score_p99: float | None
    raw: RawFigures | None = None
    accuracy: AccuracyFigures | None = None

    @property
    def matched_share(self) -> float | None:
        """Share of both models' detections that the other has too; None where neither found anything."""
        found = self.reference_count + self.candidate_count
        return 1 - self.unmatched_count / found if found else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"matched_share": self.matched_share}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> GateFigures:
        """The inverse of :meth:`to_dict`.

        Raises:
            TypeError: A field is missing or unknown.
        """
        own = {name: value for name, value in fields.items() if name not in ("matched_share", "raw", "accuracy")}
        raw, accuracy = fields.get("raw"), fields.get("accuracy")
        return cls(
            **own,
            raw=None if raw is None else RawFigures(**raw),
            accuracy=None if accuracy is None else AccuracyFigures(**accuracy),
        )
