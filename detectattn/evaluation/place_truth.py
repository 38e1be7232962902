"""From a ground truth file's own terms to those of records: whose image is whose, and boxes in its pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectattn.errors import BrokenTruth, TruthMismatch
from detectattn.evaluation.image_names import ImageName, match_images, name_examples
from detectattn.evaluation.truth import FrameKey, GroundTruth, ImageTruth, TruthEntry, TruthFile, count_of
from detectattn.sources.suffixes import IMAGE_SUFFIXES

_PROPORTION_TOLERANCE = 0.02
_EXIF_ORIENTATION = 0x0112


def place_truth(
    file: TruthFile, frames: Mapping[FrameKey, tuple[int, int]] | None = None, roots: Sequence[Path] = ()
) -> GroundTruth:
    """Ground truth of the pictures in records.

    Images that only one side knows are left out, and noted. Boxes that refer to another size of the same image are
    scaled; where the proportions differ the image is left out, and noted.

    Args:
        file: Ground truth as read.
        frames: Height and width of the upright picture by its key in records; None takes the file's own images, names
            and sizes (for studies of predictions made elsewhere).
        roots: What was given as sources.

    Raises:
        TruthMismatch: Not one picture is in the file, or all are of other proportions.
        AmbiguousTruth: Names do not tell pictures apart.
        BrokenTruth: Without ``frames``: an image whose size is nowhere to be found.
    """
    if frames is None:
        own = {(_own_name(entry), entry.index): _place(entry, _measure(file.path, entry)) for entry in file.entries}
        return GroundTruth(file.class_names, own, file.path, file.format, notes=file.notes)
    names = [ImageName(entry.name, entry.index, entry.path) for entry in file.entries]
    matched = match_images(names, frames, roots)
    if not matched:
        speaks_of = name_examples(entry.name for entry in file.entries)
        raise TruthMismatch(
            f"{file.path} is the ground truth of other images: it speaks of {speaks_of}, and the images are "
            f"{name_examples(source for source, _ in frames)}",
            hint="Name the ground truth of these images with --truth, or give the images it belongs to",
        )
    placed = _place_matched([(key, file.entries[i]) for i, key in sorted(matched.items())], frames, file.path)
    notes = (*file.notes, *_count_left_out(len(file.entries), len(frames), len(matched)), *placed.notes)
    return GroundTruth(file.class_names, placed.images, file.path, file.format, notes=notes)


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    images: Mapping[FrameKey, ImageTruth]
    notes: tuple[str, ...]


def _place_matched(
    pairs: Sequence[tuple[FrameKey, TruthEntry]], frames: Mapping[FrameKey, tuple[int, int]], path: Path
) -> _Placed:
    distorted = [(key, entry) for key, entry in pairs if not _has_proportions(entry, frames[key])]
    if len(distorted) == len(pairs):
        raise TruthMismatch(
            f"{path} is of other images: {_describe_distorted(*distorted[0], frames)}",
            hint="If the pictures were rotated or cropped since they were labelled, give the original ones",
        )
    whole = [(key, entry) for key, entry in pairs if _has_proportions(entry, frames[key])]
    scaled = sum(not _has_size(entry, frames[key]) for key, entry in whole)
    notes = []
    if scaled:
        notes.append(f"boxes scaled in {count_of(scaled, 'image')} of another size than when labelled")
    if distorted:
        first = _describe_distorted(*distorted[0], frames)
        notes.append(f"left out: {count_of(len(distorted), 'image')} of other proportions than when labelled ({first})")
    return _Placed({key: _place(entry, frames[key]) for key, entry in whole}, tuple(notes))


def _count_left_out(entries: int, frames: int, matched: int) -> Iterator[str]:
    if matched < frames:
        yield f"left out: {count_of(frames - matched, 'image')} without ground truth, of {frames}"
    if matched < entries:
        yield f"not among these: {count_of(entries - matched, 'image')} of the ground truth, of {entries}"


def _place(entry: TruthEntry, size_hw: tuple[int, int]) -> ImageTruth:
    """Boxes and areas in pixels of a picture of that size."""
    height, width = size_hw
    scale = np.ones(2)
    if entry.relative:
        scale = np.array([width, height], np.float64)
    elif entry.size_hw is not None and not _has_size(entry, size_hw):
        scale = np.array([width / entry.size_hw[1], height / entry.size_hw[0]])
    boxes = entry.xyxy * np.tile(scale, 2)
    box_area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return ImageTruth(
        size_hw=size_hw,
        xyxy=boxes.astype(np.float32),
        class_index=entry.class_index,
        crowd=entry.crowd,
        ignored=entry.ignored,
        area=np.where(np.isnan(entry.area), box_area, entry.area * scale.prod()),
    )


def _has_size(entry: TruthEntry, size_hw: tuple[int, int]) -> bool:
    """Whether boxes refer to pixels of this size; a pixel's difference comes from rounding."""
    own = entry.size_hw
    return own is None or (abs(own[0] - size_hw[0]) <= 1 and abs(own[1] - size_hw[1]) <= 1)


def _has_proportions(entry: TruthEntry, size_hw: tuple[int, int]) -> bool:
    if entry.size_hw is None or _has_size(entry, size_hw):
        return True
    ratio = (size_hw[0] * entry.size_hw[1]) / (size_hw[1] * entry.size_hw[0])
    return abs(ratio - 1) <= _PROPORTION_TOLERANCE


def _describe_distorted(key: FrameKey, entry: TruthEntry, frames: Mapping[FrameKey, tuple[int, int]]) -> str:
    height, width = frames[key]
    own_height, own_width = entry.size_hw or (0, 0)
    return f"{key[0]} is {width}×{height}, and {own_width}×{own_height} in the ground truth"


def _own_name(entry: TruthEntry) -> str:
    picture = _find_picture(entry)
    return entry.name if picture is None or entry.name.endswith(picture.suffix) else f"{entry.name}{picture.suffix}"


def _measure(path: Path, entry: TruthEntry) -> tuple[int, int]:
    """Height and width, as the file has them or else as the picture's header has them, upright."""
    if entry.size_hw is not None:
        return entry.size_hw
    picture = _find_picture(entry)
    if picture is None:
        raise BrokenTruth(
            f"{path} does not say how large {entry.name} is, and the picture is not where it should be",
            hint="Give the pictures as sources too",
        )
    from PIL import Image

    try:
        with Image.open(picture) as image:
            width, height = image.size
            turned = image.getexif().get(_EXIF_ORIENTATION, 1) in {5, 6, 7, 8}
    except Exception as error:  # on damaged bytes decoders raise nearly every kind
        raise BrokenTruth(
            f"{path} does not say how large {entry.name} is, and the picture cannot be read ({str(error)[:100]})",
            hint="Give the pictures as sources too",
        ) from error
    return (width, height) if turned else (height, width)


def _find_picture(entry: TruthEntry) -> Path | None:
    if entry.path is None:
        return None
    if entry.path.suffix.lower() in IMAGE_SUFFIXES and _is_file(entry.path):
        return entry.path
    tries = (Path(f"{entry.path}{suffix}") for suffix in sorted(IMAGE_SUFFIXES))
    return next((path for path in tries if _is_file(path)), None)


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises where a name is too long
