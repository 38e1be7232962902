"""Under what conditions a study was done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TruthNote:
    """What the models were judged against.

    Attributes:
        path: The file or folder, as it was given or found.
        format: ``coco``, ``yolo`` or ``voc``.
        named: Whether a person named it, rather than it being found beside the images.
        images: Images of the study that it covers.
        objects: Objects to be found in them.
        classes: Names of the classes that have objects in them.
        notes: What was left out or changed.
    """

    path: str
    format: str
    named: bool
    images: int
    objects: int
    classes: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what conditions the figures were taken; the same for all models.

    Attributes:
        sources: As given.
        images: Pictures that took part: images, and frames of videos.
        image_failures: Inputs that could not be read; no model saw them.
        median_size_hw: Height and width of the picture of median area; None without pictures.
        matched_pixels: Whether all models worked on as many network pixels a picture.
        rounds: Rounds that every model had its turn in; None where nothing was timed.
        sittings: Times that all models were loaded anew for these rounds; None likewise.
        pictures_a_round: Pictures timed in each turn.
        conf: Operating point that was asked for; None where each model has its own.
        iou: Overlap above which non-maximum suppression drops a box, for accuracy.
        accuracy_conf: Score down to which detections count for accuracy.
        max_det: Detections an image at most, for accuracy.
        seed: Of the bootstrap.
        resamples: Of the bootstrap.
        truth: None without ground truth.
    """

    sources: tuple[str, ...]
    images: int
    image_failures: int
    median_size_hw: tuple[int, int] | None
    matched_pixels: bool
    rounds: int | None
    sittings: int | None
    pictures_a_round: int | None
    conf: float | None
    iou: float
    accuracy_conf: float
    max_det: int
    seed: int
    resamples: int
    truth: TruthNote | None
