"""Whether a model became more accurate: image by image where that can be, else by its figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from detectattn.compare.changes.images import says_the_same
from detectattn.compare.changes.side import Side
from detectattn.compare.gate_values import number, section
from detectattn.compare.judge.score_floor import cut_alike
from detectattn.evaluation.align import align_predictions
from detectattn.evaluation.bootstrap import AccuracyComparison, compare_accuracy
from detectattn.evaluation.match_table import match_detections
from detectattn.evaluation.truth import FrameKey, GroundTruth
from detectattn.report.changes import AccuracyChange, AccuracyDifference
from detectattn.results import PairedDifference
from detectattn.types import Prediction

_Judge = Literal["both", "before", "after"]


def compare_accuracy_of(before: Side, after: Side, before_name: str, name: str) -> AccuracyChange | None:
    """What ground truth says of a model in both studies; None where neither has any.

    Where either study has no ground truth, that of the other judges both; where theirs differ, that of the second.
    """
    known = [_has_accuracy(side, own) for side, own in ((before, before_name), (after, name))]
    truth = _find_truth(before, after)
    if not any(known):
        return None
    reason = _find_unpaired(before, after) or (None if truth else "neither study has kept its ground truth")
    found: Sequence[Prediction] = after.predictions(name)
    earlier: Sequence[Prediction] = before.predictions(before_name)
    if reason is None and not (found and earlier):
        reason = "it has records in one study alone"
    if reason is None and truth is not None:
        shared = _share_images(truth, earlier, found)
        found, earlier, _ = cut_alike((after.floor(name), found), (before.floor(before_name), earlier))
        if shared.images:
            return _pair(shared, earlier, found, _tell_judge(before, after, shared), after)
        reason = "the studies have no image in common that ground truth covers"
    return AccuracyChange(False, reason, None, None, tuple(_set_beside(before.entry(before_name), after.entry(name))))


def _has_accuracy(side: Side, name: str) -> bool:
    return bool(section(side.entry(name), "accuracy"))


def _find_unpaired(before: Side, after: Side) -> str | None:
    missing = [side.run for side in (before, after) if side.records is None]
    return f"the records of {' and '.join(missing)} are not at hand" if missing else None


def _find_truth(before: Side, after: Side) -> GroundTruth | None:
    truths = [side.records.truth for side in (after, before) if side.records is not None]
    return next((truth for truth in truths if truth is not None), None)


def _share_images(truth: GroundTruth, then: Sequence[Prediction], now: Sequence[Prediction]) -> GroundTruth:
    """The ground truth of the images that both have a record of, of one size."""
    sizes = [{(p.source, p.index): p.size_hw for p in found} for found in (then, now)]
    images = {
        key: image for key, image in truth.images.items() if all(seen.get(key) == image.size_hw for seen in sizes)
    }
    return replace(truth, images=images)


def _tell_judge(before: Side, after: Side, shared: GroundTruth) -> _Judge:
    then, now = (None if side.records is None else side.records.truth for side in (before, after))
    if then is None:
        return "after"
    if now is None:
        return "before"
    keys: list[FrameKey] = list(shared.images)
    return "both" if all(says_the_same(then, now, key) for key in keys) else "after"


def _pair(
    truth: GroundTruth, then: Sequence[Prediction], now: Sequence[Prediction], judge: _Judge, after: Side
) -> AccuracyChange:
    assert after.records is not None
    tables = [match_detections(truth, align_predictions(truth, found)) for found in (now, then)]
    compared: AccuracyComparison = compare_accuracy(tables[0], tables[1], seed=after.records.config.seed)
    figures = (compared.ap50_95, compared.ap50, *compared.per_class)
    return AccuracyChange(True, None, judge, len(truth.images), tuple(map(_to_difference, figures)))


def _to_difference(d: PairedDifference) -> AccuracyDifference:
    return AccuracyDifference(
        metric=d.metric,
        class_name=d.class_name,
        before=d.value_b,
        after=d.value_a,
        difference=d.difference,
        low=d.low,
        high=d.high,
        decided=d.decided,
        standard_error=d.standard_error,
        images=d.images,
        images_to_decide=d.images_to_decide,
    )


def _set_beside(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[AccuracyDifference]:
    """Figures of both reports, without intervals."""
    before, after = section(then, "accuracy"), section(now, "accuracy")
    for metric in ("ap50_95", "ap50"):
        yield _unpaired(metric, None, number(before.get(metric)), number(after.get(metric)))
    old, new = section(before, "per_class"), section(after, "per_class")
    for name in dict.fromkeys([*new, *old]):
        values = (number(section(part, name).get("ap50_95")) for part in (old, new))
        yield _unpaired("ap50_95", name, *values)


def _unpaired(metric: str, class_name: str | None, old: float | None, new: float | None) -> AccuracyDifference:
    nan = math.nan
    before, after = nan if old is None else old, nan if new is None else new
    difference = after - before
    return AccuracyDifference(metric, class_name, before, after, difference, nan, nan, False, nan, None, None)
