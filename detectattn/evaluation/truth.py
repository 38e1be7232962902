"""Ground truth: what is really in the images, whatever file it came in.

Readers (:mod:`.truth_coco`, :mod:`.truth_yolo`, :mod:`.truth_voc`) give a :class:`TruthFile`, which speaks of images as
the file does. :func:`detectattn.evaluation.place_truth.place_truth` makes :class:`GroundTruth` of it, which speaks of
them as records do, in pixels of the upright image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detectattn.types import F32, I32

TruthFormat = Literal["coco", "yolo", "voc"]
FrameKey = tuple[str, int]
"""A picture in records: ``source``, and ``index`` (0 for an ordinary image)."""

BOOL = NDArray[np.bool_]
F64 = NDArray[np.float64]


def count_of(count: int, noun: str) -> str:
    """``1 image``, ``2 images``: for notes."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


@dataclass(frozen=True, slots=True, eq=False)
class TruthEntry:
    """One image as a ground truth file describes it.

    Attributes:
        name: As the file names it, with ``/`` between folders; labels of YOLO have no suffix.
        index: The frame of a video or page; 0 for an ordinary image.
        path: Where the picture should lie, as far as the format tells; its suffix means nothing.
        size_hw: Height and width in pixels that the boxes refer to, where the file says so.
        xyxy: f64[N, 4], in pixels, or in fractions of the image where ``relative``.
        class_index: i32[N], index into :attr:`TruthFile.class_names`.
        crowd: bool[N], a group under one box (COCO's ``iscrowd``).
        ignored: bool[N], counts neither as found nor as missed (VOC's ``difficult``).
        area: f64[N] in pixels, NaN where it is the box's.
        relative: Whether the boxes are fractions of the image.
    """

    name: str
    index: int
    path: Path | None
    size_hw: tuple[int, int] | None
    xyxy: F64
    class_index: I32
    crowd: BOOL
    ignored: BOOL
    area: F64
    relative: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CocoIndex:
    """What ids mean in a COCO file.

    Attributes:
        path: The file.
        images: Name, frame and size (where known) of each image, by its id as text.
        categories: Name of each category by its id as text, in the order of the file.
    """

    path: Path
    images: Mapping[str, tuple[str, int, tuple[int, int] | None]]
    categories: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class TruthFile:
    """Ground truth as read, before its images are matched to records.

    Attributes:
        path: The file or folder.
        format: What it is.
        class_names: Name by class index.
        entries: Images in the file's own order (COCO: by image id, as its evaluation orders them).
        coco: What ids mean, for a COCO file.
        notes: What a reader should know, such as polygons taken as boxes. Sentences without a final full stop.
    """

    path: Path
    format: TruthFormat
    class_names: tuple[str, ...]
    entries: tuple[TruthEntry, ...]
    coco: CocoIndex | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ImageTruth:
    """What is in one image.

    Attributes:
        size_hw: Height and width of the upright image in pixels.
        xyxy: f32[N, 4], in pixels of the upright image.
        class_index: i32[N], index into :attr:`GroundTruth.class_names`.
        crowd: bool[N], a group under one box: any number of detections inside it are ignored.
        ignored: bool[N], counts neither as found nor as missed, nor does what matches it.
        area: f64[N] in pixels: COCO's own (of the mask) where given, else the box's. Decides small, medium, large.
    """

    size_hw: tuple[int, int]
    xyxy: F32
    class_index: I32
    crowd: BOOL
    ignored: BOOL
    area: F64

    def __post_init__(self) -> None:
        n = len(self.class_index)
        if self.xyxy.shape != (n, 4) or self.xyxy.dtype != np.float32:
            raise ValueError(f"xyxy must be f32[{n}, 4], got {self.xyxy.dtype}{list(self.xyxy.shape)}")
        if not len(self.crowd) == len(self.ignored) == len(self.area) == n:
            raise ValueError(f"crowd, ignored and area must have {n} entries")

    @property
    def counts(self) -> BOOL:
        """bool[N], whether each object is one to be found."""
        return ~(self.crowd | self.ignored)


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """What is in a set of images.

    Attributes:
        class_names: Name by class index, classes without an object in these images included.
        images: What is in each image, by its key in records. The order settles ties between equal scores.
        path: The file or folder it came from; None where it was made in memory.
        format: What that is.
        aliases: Class index by case-folded name, for names besides its own that mean the class (``--class-map``).
        notes: What a reader should know: images left out, boxes scaled. Sentences without a final full stop.
    """

    class_names: tuple[str, ...]
    images: Mapping[FrameKey, ImageTruth]
    path: Path | None = None
    format: TruthFormat | None = None
    aliases: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def find_class(self, name: str) -> int | None:
        """The index of the class that a model calls ``name``, in any case; None where there is none."""
        folded = name.strip().casefold()
        for index, own in enumerate(self.class_names):
            if own.strip().casefold() == folded:
                return index
        return self.aliases.get(folded)

    def count_objects(self) -> I32:
        """Objects to be found, i32[I, C], by image (in order) and class; crowds and ignored ones don't count."""
        counts = np.zeros((len(self.images), len(self.class_names)), np.int32)
        for row, image in enumerate(self.images.values()):
            np.add.at(counts[row], image.class_index[image.counts], 1)
        return counts
