"""Where models agree when nobody knows the truth: what all find, what only one finds, and which images to look at.

Every model is taken at its own operating point. Detections of several models are one object where they overlap and name
the same class. Agreement is no accuracy: two models can be wrong together, and one can be right alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from detectattn.evaluation.bootstrap import draw_image_weights, leave_out_weights
from detectattn.evaluation.intervals import Interval, compute_expanded_interval
from detectattn.matching import match_boxes
from detectattn.results import ClassAgreement, PairAgreement
from detectattn.types import F32, I32, Detections, Prediction

DEFAULT_MIN_SCORE = 0.25
_ABSENT = -1


@dataclass(frozen=True, slots=True, eq=False)
class ImageAgreement:
    """What several models found in one picture.

    Attributes:
        source: As in records.
        index: As in records.
        size_hw: Height and width of the upright image in pixels.
        found: Each model's detections at its operating point, in the order of the models; ``class_id`` is an index
            into :attr:`Agreement.class_names`.
        objects: i32[O, N], the row of each model's detections that is the object, or -1 where it has none.
        disagreement: 0 (all agree) to 1; see :func:`compute_disagreement`.
    """

    source: str
    index: int
    size_hw: tuple[int, int]
    found: tuple[Detections, ...]
    objects: I32
    disagreement: float

    @property
    def class_index(self) -> I32:
        """i32[O], class of each object."""
        classes: I32 = _pick([f.class_id for f in self.found], self.objects).max(axis=1, initial=_ABSENT)
        return classes.astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """What several models make of the same pictures.

    Attributes:
        models: Their names.
        class_names: Names of the classes that all of them know.
        classes_left_out: For each model, the classes that not all others know; their detections don't count.
        images: Most disputed first, equal ones in the order of the first model's records.
        images_left_out: Pictures that not every model has a record of.
        pairs: Every two models.
        alone: For each model, objects that no other finds.
    """

    models: tuple[str, ...]
    class_names: tuple[str, ...]
    classes_left_out: Mapping[str, tuple[str, ...]]
    images: tuple[ImageAgreement, ...]
    images_left_out: int
    pairs: tuple[PairAgreement, ...]
    alone: Mapping[str, int]


def compute_agreement(
    predictions: Mapping[str, Sequence[Prediction]],
    min_scores: Mapping[str, float] | None = None,
    iou_threshold: float = 0.5,
    seed: int = 0,
) -> Agreement:
    """Set the records of several models against each other.

    Classes are matched by name, in any case. With more than two models, an object is known by the box of the first
    model that finds it, in the order given.

    Args:
        predictions: Records of each model, by its name; at least two.
        min_scores: Operating point of each model; 0.25 where none is given.
        iou_threshold: Overlap at which two detections are one object.
        seed: Of the resamples behind the intervals.

    Raises:
        ValueError: There are fewer than two models.
    """
    if len(predictions) < 2:
        raise ValueError(f"agreement needs at least two models, got {len(predictions)}")
    names = {model: _class_names(records) for model, records in predictions.items()}
    shared = _shared_classes(list(names.values()))
    thresholds = [(min_scores or {}).get(model, DEFAULT_MIN_SCORE) for model in predictions]
    by_key = [{(p.source, p.index): p for p in records} for records in predictions.values()]
    everywhere = [key for key in by_key[0] if all(key in records for records in by_key)]
    images = [
        _compare_image([records[key] for records in by_key], shared, thresholds, iou_threshold) for key in everywhere
    ]
    found = np.array([], bool).reshape(0, len(predictions))
    finders = np.concatenate([found, *(i.objects != _ABSENT for i in images)])
    single = finders.sum(axis=1) == 1
    models = tuple(predictions)
    return Agreement(
        models=models,
        class_names=tuple(shared.values()),
        classes_left_out={m: tuple(n for n in names[m] if n.casefold() not in shared) for m in models},
        images=tuple(sorted(images, key=lambda i: -i.disagreement)),
        images_left_out=len({key for records in by_key for key in records}) - len(everywhere),
        pairs=tuple(_compare_pair(models, pair, images, tuple(shared.values()), seed) for pair in _pairs(models)),
        alone={m: int((single & finders[:, k]).sum()) for k, m in enumerate(models)},
    )


def compute_disagreement(weights: F32) -> float:
    """How much a picture is disputed, 0 to 1.

    Every object counts with the confidence of its surest finder above that model's operating point, w = (score - t) /
    (1 - t), so that a box that hardly passed is hardly a dispute. The share of the other models that miss it is
    disputed, the rest agreed: U = Σ w u and M = Σ w (1 - u). The score is U / (1 + U + M): the 1 keeps a single faint
    box from being a complete disagreement, and lets pictures with more disputed objects come first.

    Args:
        weights: f32[O, N], w of each model's detection of each object; NaN where the model has none.
    """
    objects, models = weights.shape
    if objects == 0 or models < 2:
        return 0.0
    missing = np.isnan(weights)
    sure = np.where(missing, 0, weights).max(axis=1)
    disputed = missing.sum(axis=1) / (models - 1)
    return float((sure * disputed).sum() / (1 + sure.sum()))


def _class_names(records: Iterable[Prediction]) -> dict[str, None]:
    """The names that a model's classes have, in their order."""
    # Records of one model share one mapping, so each distinct mapping is looked at once.
    mappings = {id(p.class_names): p.class_names for p in records}.values()
    return dict.fromkeys(mapping[i] for mapping in mappings for i in sorted(mapping))


def _shared_classes(names: Sequence[Mapping[str, None]]) -> dict[str, str]:
    """The first model's spelling of each class that all know, by its case-folded name."""
    folded = [{n.casefold() for n in known} for known in names]
    return {n.casefold(): n for n in names[0] if all(n.casefold() in known for known in folded)}


def _pairs(models: tuple[str, ...]) -> list[tuple[int, int]]:
    return list(combinations(range(len(models)), 2))


def _compare_image(
    records: Sequence[Prediction], shared: Mapping[str, str], thresholds: Sequence[float], iou_threshold: float
) -> ImageAgreement:
    index_of = {folded: i for i, folded in enumerate(shared)}
    found = tuple(_select(p, index_of, t) for p, t in zip(records, thresholds, strict=True))
    objects = _group_objects(found, iou_threshold)
    sureness = [(f.score - t) / max(1 - t, 1e-6) for f, t in zip(found, thresholds, strict=True)]
    weights = np.where(objects == _ABSENT, np.nan, _pick(sureness, objects))
    first = records[0]
    return ImageAgreement(first.source, first.index, first.size_hw, found, objects, compute_disagreement(weights))


def _select(prediction: Prediction, index_of: Mapping[str, int], min_score: float) -> Detections:
    """The detections that count, with shared class indices."""
    every = prediction.detections
    ids = [index_of.get(prediction.class_name(c).casefold(), _ABSENT) for c in every.class_id.tolist()]
    shared = np.array(ids, np.int32).reshape(-1)
    kept = (shared != _ABSENT) & (every.score >= min_score)
    query_id = None if every.query_id is None else every.query_id[kept]
    return Detections(every.xyxy[kept], every.score[kept], shared[kept], query_id)


def _group_objects(found: Sequence[Detections], iou_threshold: float) -> I32:
    """Rows of each model's detections that are one object: i32[O, N], -1 where a model has none."""
    known = found[0]
    objects = np.arange(len(known), dtype=np.int32)[:, None]
    for detections in found[1:]:
        matches = match_boxes(known, detections, iou_threshold)
        column = np.full((len(objects), 1), _ABSENT, np.int32)
        column[matches.pairs[:, 0], 0] = matches.pairs[:, 1]
        new = np.full((len(matches.only_b), objects.shape[1] + 1), _ABSENT, np.int32)
        new[:, -1] = matches.only_b
        objects = np.concatenate([np.concatenate([objects, column], axis=1), new])
        known = _join(known, detections.take(matches.only_b.astype(np.intp)))
    return objects


def _join(a: Detections, b: Detections) -> Detections:
    return Detections(
        np.concatenate([a.xyxy, b.xyxy]),
        np.concatenate([a.score, b.score]),
        np.concatenate([a.class_id, b.class_id]),
    )


def _pick(columns: Sequence[NDArray[np.generic]], objects: I32) -> NDArray[np.float32]:
    """Each model's value of each object, f32[O, N]; -1 where it has none."""
    picked = np.full(objects.shape, _ABSENT, np.float32)
    for k, values in enumerate(columns):
        there = objects[:, k] != _ABSENT
        picked[there, k] = values[objects[there, k]]
    return picked


def _compare_pair(
    models: tuple[str, ...],
    pair: tuple[int, int],
    images: Sequence[ImageAgreement],
    class_names: tuple[str, ...],
    seed: int,
) -> PairAgreement:
    # By image, class, and (both, only a, only b).
    counts = np.zeros((len(images), len(class_names), 3), np.int64)
    for row, image in enumerate(images):
        in_a, in_b = (image.objects[:, k] != _ABSENT for k in pair)
        for column, there in enumerate((in_a & in_b, in_a & ~in_b, in_b & ~in_a)):
            counts[row, :, column] = np.bincount(image.class_index[there], minlength=len(class_names))
    by_image, by_class = counts.sum(axis=1), counts.sum(axis=0)
    both, only_a, only_b = (int(n) for n in by_image.sum(axis=0))
    interval = _agreement_interval(by_image, seed)
    return PairAgreement(
        a=models[pair[0]],
        b=models[pair[1]],
        both=both,
        only_a=only_a,
        only_b=only_b,
        agreement=float(_agreement_of(by_image.sum(axis=0))),
        low=interval.low,
        high=interval.high,
        per_class=tuple(
            ClassAgreement(name, *(int(n) for n in row))
            for name, row in zip(class_names, by_class, strict=True)
            if row.any()
        ),
    )


def _agreement_interval(by_image: NDArray[np.int64], seed: int) -> Interval:
    images = len(by_image)
    if images < 2:
        return Interval(math.nan, math.nan)
    samples = _agreement_of(draw_image_weights(images, 1000, seed) @ by_image)
    leave_out = _agreement_of(leave_out_weights(images, seed) @ by_image)
    interval = compute_expanded_interval(samples, leave_out, images)
    return Interval(max(0.0, interval.low), min(1.0, interval.high)) if math.isfinite(interval.low) else interval


def _agreement_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """2 both / (2 both + only a + only b) of counts [..., 3], NaN where nothing was found."""
    shared = 2.0 * counts[..., 0]
    total = shared + counts[..., 1] + counts[..., 2]
    agreement: NDArray[np.float64] = np.divide(shared, total, out=np.full(np.shape(total), np.nan), where=total > 0)
    return agreement
