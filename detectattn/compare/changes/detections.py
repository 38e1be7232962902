"""What a model finds in the same pictures, before and after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectattn.compare.changes.side import Side
from detectattn.compare.gate_values import number
from detectattn.compare.judge.single_label import keep_best_label
from detectattn.evaluation.agreement import DEFAULT_MIN_SCORE, ImageAgreement, compute_agreement
from detectattn.evaluation.truth import FrameKey
from detectattn.report.changes import ChangedImage, ClassCounts, DetectionChange
from detectattn.types import Prediction

_MOST_LISTED = 20
_BEFORE, _AFTER = "before", "after"


def compare_detections_of(before: Side, after: Side, before_name: str, name: str) -> DetectionChange | None:
    """How far a model agrees with itself, each time at that study's operating point.

    None where the records of both are not at hand, or have no picture of one name and size in common.
    """
    earlier, found = before.predictions(before_name), after.predictions(name)
    then, now = _share_pictures(earlier, found)
    if not now:
        return None
    scores = {_BEFORE: _find_score(before, before_name), _AFTER: _find_score(after, name)}
    labels = {_BEFORE: [keep_best_label(p) for p in then], _AFTER: [keep_best_label(p) for p in now]}
    seed = 0 if after.records is None else after.records.config.seed
    agreement = compute_agreement(labels, scores, seed=seed)
    [pair] = agreement.pairs
    return DetectionChange(
        images=len(now),
        identical=all(_is_same(p, q) for p, q in zip(then, now, strict=True)),
        score_before=scores[_BEFORE],
        score_after=scores[_AFTER],
        both=pair.both,
        only_before=pair.only_a,
        only_after=pair.only_b,
        agreement=pair.agreement,
        low=pair.low,
        high=pair.high,
        per_class=tuple(ClassCounts(c.class_name, c.both, c.only_a, c.only_b) for c in pair.per_class),
        most_changed=tuple(_to_changed(i) for i in agreement.images[:_MOST_LISTED] if i.disagreement > 0),
    )


def _find_score(side: Side, name: str) -> float:
    score = number(side.entry(name).get("conf"))
    return DEFAULT_MIN_SCORE if score is None else score


def _share_pictures(
    then: Sequence[Prediction], now: Sequence[Prediction]
) -> tuple[tuple[Prediction, ...], tuple[Prediction, ...]]:
    """Records of the pictures that both have, in the same order; of several records of one picture the last."""
    earlier: dict[FrameKey, Prediction] = {(p.source, p.index): p for p in then}
    found: dict[FrameKey, Prediction] = {(p.source, p.index): p for p in now}
    keys = [key for key, p in found.items() if key in earlier and earlier[key].size_hw == p.size_hw]
    return tuple(earlier[key] for key in keys), tuple(found[key] for key in keys)


def _is_same(then: Prediction, now: Prediction) -> bool:
    a, b = then.detections, now.detections
    return (
        np.array_equal(a.xyxy, b.xyxy)
        and np.array_equal(a.score, b.score)
        and [then.class_name(c) for c in a.class_id.tolist()] == [now.class_name(c) for c in b.class_id.tolist()]
    )


def _to_changed(image: ImageAgreement) -> ChangedImage:
    there = image.objects != -1
    return ChangedImage(
        source=image.source,
        index=image.index,
        change=image.disagreement,
        both=int(there.all(axis=1).sum()),
        only_before=int((there[:, 0] & ~there[:, 1]).sum()),
        only_after=int((there[:, 1] & ~there[:, 0]).sum()),
    )
