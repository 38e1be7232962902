"""Which pictures both studies saw, and what is said to be in them."""

from __future__ import annotations

from collections.abc import Mapping

from detectattn.compare.changes.side import Side
from detectattn.compare.judge import StudyRecords
from detectattn.evaluation.truth import FrameKey, GroundTruth, ImageTruth
from detectattn.report.changes import ImageChanges, Picture


def compare_images(before: Side, after: Side) -> ImageChanges | None:
    """Which pictures took part; None where the records of both are not at hand.

    Pictures are known by name and size: what is in the files is not compared.
    """
    if before.records is None or after.records is None:
        return None
    then, now = _sizes(before.records), _sizes(after.records)
    shared = [key for key in now if then.get(key) == now[key]]
    return ImageChanges(
        shared=len(shared),
        removed=tuple(Picture(*key) for key in then if key not in now),
        added=tuple(Picture(*key) for key in now if key not in then),
        resized=tuple(Picture(*key) for key in now if key in then and then[key] != now[key]),
        relabelled=_find_relabelled(before.records.truth, after.records.truth, shared),
    )


def _sizes(records: StudyRecords) -> Mapping[FrameKey, tuple[int, int]]:
    return {(p.source, p.index): p.size_hw for p in records.pictures}


def _find_relabelled(
    then: GroundTruth | None, now: GroundTruth | None, shared: list[FrameKey]
) -> tuple[Picture, ...] | None:
    if then is None or now is None:
        return None
    return tuple(Picture(*key) for key in shared if not says_the_same(then, now, key))


def says_the_same(then: GroundTruth, now: GroundTruth, key: FrameKey) -> bool:
    """Whether two ground truths say the same of a picture, in any order of its objects."""
    one, other = then.images.get(key), now.images.get(key)
    if one is None or other is None:
        return one is other
    return _rows(one, then) == _rows(other, now)


def _rows(image: ImageTruth, truth: GroundTruth) -> list[tuple[object, ...]]:
    """Every object with all that counts, sorted."""
    names = [truth.class_names[c].strip().casefold() for c in image.class_index.tolist()]
    facts = (*image.xyxy.T.tolist(), image.crowd.tolist(), image.ignored.tolist(), image.area.tolist())
    return sorted(zip(names, *facts, strict=True))
