"""Why a model loses accuracy: TIDE's kinds of error."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCost:
    """One kind of error.

    Attributes:
        count: How many detections (or, for missed, objects) are of the kind.
        ap_lost: What AP at IoU 0.5 would gain without them, 0 to 1.
    """

    count: int
    ap_lost: float


@dataclass(frozen=True, slots=True)
class ErrorBreakdown:
    """What stands between a model and a perfect AP at IoU 0.5.

    Attributes:
        ap50: Where it stands, 0 to 1, by TIDE's matching: COCO's but for rounding and crowds.
        classification: The place is right (IoU at least 0.5 with an object), the class is not.
        localisation: The class is right, the place is near (IoU 0.1 to 0.5 with an object of the class).
        both: Near an object of another class.
        duplicate: Right, but the object was found already by a detection with a higher score.
        background: Nothing is there (IoU at most 0.1 with every object).
        missed: Objects that no detection found, and none would were its class or its place put right.
        false_positives: All wrong detections of any kind, as if each had the lowest score.
        false_negatives: All objects that no detection found.
    """

    ap50: float
    classification: ErrorCost
    localisation: ErrorCost
    both: ErrorCost
    duplicate: ErrorCost
    background: ErrorCost
    missed: ErrorCost
    false_positives: ErrorCost
    false_negatives: ErrorCost
