"""What the page's picture browser shows: every picture with what each model finds in it. Data alone, no pixels.

Boxes are those of each model's own operating point, in pixels of the upright picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["right", "wrong", "uncounted", "unknown"]
"""What ground truth says of a detection: right, wrong, neither (a crowd, a class it lacks), or that there is none."""


@dataclass(frozen=True, slots=True)
class GalleryBox:
    """A detection.

    Attributes:
        xyxy: Left, top, right, bottom in pixels of the upright picture.
        class_index: Index into :attr:`Gallery.class_names`.
        score: 0 to 1.
        finders: Indices into :attr:`Gallery.models` of those that find this object, its own included, ascending.
        outcome: What ground truth says.
        object_index: Boxes of several models that have the same number in one picture are one object; None where no
            other model has a record of the picture.
    """

    xyxy: tuple[float, float, float, float]
    class_index: int
    score: float
    finders: tuple[int, ...]
    outcome: Outcome
    object_index: int | None = None


@dataclass(frozen=True, slots=True)
class GalleryTruth:
    """An object of the ground truth.

    Attributes:
        xyxy: As above.
        class_index: Index into :attr:`Gallery.class_names`.
        finders: Indices into :attr:`Gallery.models` of those that find it, ascending.
        counts: Whether it is to be found (crowds and ignored objects are not).
    """

    xyxy: tuple[float, float, float, float]
    class_index: int
    finders: tuple[int, ...]
    counts: bool


@dataclass(frozen=True, slots=True)
class Overlay:
    """A map of where a model looked, laid over the picture.

    Attributes:
        model: Index into :attr:`Gallery.models`.
        title: What it is: ``cross-attention of the car at the left``.
        path: Picture file relative to the page, of the picture's proportions.
    """

    model: int
    title: str
    path: str


@dataclass(frozen=True, slots=True)
class GalleryPicture:
    """A picture.

    Attributes:
        source: As in records; text that came from a file name, to be escaped.
        index: Frame or page.
        size_hw: Height and width of the upright picture in pixels.
        path: Of its thumbnail relative to the page; None where none was written.
        jpeg: The same inline, for the chosen few; None for the rest.
        disagreement: 0 to 1; None for a single model.
        found: By model (as in :attr:`Gallery.models`), its detections; None where it has no record of the picture.
        truth: Objects; None where ground truth does not cover the picture.
        overlays: Maps, where ``--explain`` made them.
    """

    source: str
    index: int
    size_hw: tuple[int, int]
    path: str | None
    jpeg: bytes | None
    disagreement: float | None
    found: tuple[tuple[GalleryBox, ...] | None, ...]
    truth: tuple[GalleryTruth, ...] | None
    overlays: tuple[Overlay, ...] = ()


@dataclass(frozen=True, slots=True)
class Gallery:
    """All pictures of a study.

    Attributes:
        models: Names, in the report's order, without variants.
        class_names: Every class that any box below has.
        pictures: Most disputed first; as they came for a single model.
        conf: By model, the operating point that ``found`` is at.
        left_out: Pictures of the study that are not among them, where there are more than a page can hold.
    """

    models: tuple[str, ...]
    class_names: tuple[str, ...]
    pictures: tuple[GalleryPicture, ...]
    conf: Mapping[str, float] = field(default_factory=dict)
    left_out: int = 0
