"""From records to the gallery of the page: every picture, what each model finds in it, and what became of that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from detectattn.compare.judge.outcomes import (
    Objects,
    Outcomes,
    TruthForModels,
    find_object_of,
    judge_detections,
    take_alone,
)
from detectattn.compare.judge.single_label import keep_best_label
from detectattn.compare.judge.study_records import StudyRecords
from detectattn.evaluation.agreement import Agreement, ImageAgreement, compute_agreement
from detectattn.evaluation.truth import FrameKey, GroundTruth
from detectattn.report.gallery import Gallery, GalleryBox, GalleryPicture, GalleryTruth, Outcome
from detectattn.types import Prediction

MOST_PICTURES = 5_000
"""More would make a page slow to open."""
_NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class _Bench:
    """Models that have a record of the same pictures.

    Attributes:
        models: Indices into the models of the gallery.
        class_names: What all of them know.
        truth: What is in the pictures, in their terms.
        whole: Whether they are all models of the study, and more than one.
    """

    models: tuple[int, ...]
    class_names: tuple[str, ...]
    truth: TruthForModels | None
    whole: bool

    @classmethod
    def of(
        cls, models: tuple[int, ...], class_names: tuple[str, ...], truth: GroundTruth | None, *, whole: bool = False
    ) -> _Bench:
        return cls(models, class_names, None if truth is None else TruthForModels.of(truth, class_names), whole)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A picture and the models that have a record of it."""

    image: ImageAgreement
    bench: _Bench

    @property
    def key(self) -> FrameKey:
        return self.image.source, self.image.index

    @property
    def disagreement(self) -> float | None:
        return self.image.disagreement if self.bench.whole else None


@dataclass(frozen=True, slots=True)
class _Classes:
    """Names by index as they are met; case makes no difference."""

    indices: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def find(self, name: str) -> int:
        index = self.indices.setdefault(name.strip().casefold(), len(self.names))
        if index == len(self.names):
            self.names.append(name)
        return index


def build_gallery(
    records: StudyRecords, conf: Mapping[str, float], agreement: Agreement | None, paths: Mapping[FrameKey, str]
) -> Gallery:
    """Every picture that a model has a record of, the most disputed first.

    As in agreement, detections of classes that not all models know are left out. Of a picture that some models have no
    record of, the others are set against each other, and it comes after those that all saw.

    Args:
        records: The study.
        conf: Operating point by model.
        agreement: Of all models; None where there is only one.
        paths: Thumbnail of each picture, relative to the page, where there is one.
    """
    place = {(p.source, p.index): n for n, p in enumerate(records.pictures)}
    seen = sorted(
        _iter_seen(records, conf, agreement),
        key=lambda s: (s.disagreement is None, -(s.disagreement or 0.0), place.get(s.key, len(place))),
    )
    models, classes = records.finished_bases, _Classes()
    pictures = tuple(_to_picture(s, len(models), classes, paths.get(s.key)) for s in seen[:MOST_PICTURES])
    return Gallery(
        models=models,
        class_names=tuple(classes.names),
        pictures=pictures,
        conf={name: conf[name] for name in models},
        left_out=len(seen) - len(pictures),
    )


def _iter_seen(records: StudyRecords, conf: Mapping[str, float], agreement: Agreement | None) -> Iterator[_Seen]:
    """All pictures, by the models that have a record of them."""
    models = records.finished_bases
    by_key = [{(p.source, p.index): p for p in records.predictions[name]} for name in models]
    groups: dict[tuple[int, ...], list[FrameKey]] = {}
    for key in dict.fromkeys(key for found in by_key for key in found):
        groups.setdefault(tuple(k for k, found in enumerate(by_key) if key in found), []).append(key)
    for group, keys in groups.items():
        if len(group) == len(models) and agreement is not None:
            yield from _set_against(agreement, group, records.truth, whole=True)
        elif len(group) > 1:
            some = {models[k]: [keep_best_label(by_key[k][key]) for key in keys] for k in group}
            apart = compute_agreement(some, {name: conf[name] for name in some}, seed=records.config.seed)
            yield from _set_against(apart, group, records.truth, whole=False)
        else:
            found = [keep_best_label(by_key[group[0]][key]) for key in keys]
            yield from _see_alone(found, conf[models[group[0]]], group, records.truth)


def _set_against(
    agreement: Agreement, group: tuple[int, ...], truth: GroundTruth | None, *, whole: bool
) -> Iterator[_Seen]:
    bench = _Bench.of(group, agreement.class_names, truth, whole=whole)
    return (_Seen(image, bench) for image in agreement.images)


def _see_alone(
    found: Sequence[Prediction], min_score: float, group: tuple[int, ...], truth: GroundTruth | None
) -> Iterator[_Seen]:
    bench: _Bench | None = None
    for prediction in found:
        image, names = take_alone(prediction, min_score)
        bench = bench or _Bench.of(group, names, truth)
        yield _Seen(image, bench)


def _to_picture(seen: _Seen, models: int, classes: _Classes, path: str | None) -> GalleryPicture:
    image, bench = seen.image, seen.bench
    objects = None if bench.truth is None else bench.truth.find(seen.key)
    judged = [judge_detections(found, objects) for found in image.found]
    found: list[tuple[GalleryBox, ...] | None] = [None] * models
    for k, model in enumerate(bench.models):
        found[model] = tuple(_iter_boxes(seen, k, judged[k], classes, known=objects is not None))
    return GalleryPicture(
        source=image.source,
        index=image.index,
        size_hw=image.size_hw,
        path=path,
        jpeg=None,
        disagreement=seen.disagreement,
        found=tuple(found),
        truth=None if objects is None else tuple(_iter_truth(objects, judged, bench, classes)),
    )


def _iter_boxes(seen: _Seen, k: int, judged: Outcomes, classes: _Classes, *, known: bool) -> Iterator[GalleryBox]:
    """What the model at ``k`` of those that saw the picture finds."""
    image, bench, found = seen.image, seen.bench, seen.image.found[k]
    object_of = find_object_of(image, k).tolist()
    for row, (x0, y0, x1, y1) in enumerate(found.xyxy.tolist()):
        there = image.objects[object_of[row]] != _NONE
        yield GalleryBox(
            xyxy=(x0, y0, x1, y1),
            class_index=classes.find(bench.class_names[int(found.class_id[row])]),
            score=float(found.score[row]),
            finders=tuple(model for model, finds in zip(bench.models, there.tolist(), strict=True) if finds),
            outcome=_tell_outcome(judged, row) if known else "unknown",
            object_index=object_of[row] if len(bench.models) > 1 else None,
        )


def _tell_outcome(judged: Outcomes, row: int) -> Outcome:
    if judged.wrong[row]:
        return "wrong"
    return "uncounted" if judged.uncounted[row] else "right"


def _iter_truth(
    objects: Objects, judged: Sequence[Outcomes], bench: _Bench, classes: _Classes
) -> Iterator[GalleryTruth]:
    for row, (x0, y0, x1, y1) in enumerate(objects.xyxy.tolist()):
        own = int(objects.class_index[row])
        yield GalleryTruth(
            xyxy=(x0, y0, x1, y1),
            class_index=classes.find(objects.names[row] if own == _NONE else bench.class_names[own]),
            finders=tuple(m for m, outcomes in zip(bench.models, judged, strict=True) if outcomes.found[row]),
            counts=bool(objects.counts[row]),
        )
