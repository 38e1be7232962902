"""From records to pictures side by side: which box is whose, and what ground truth says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from detectattn.compare.judge.outcomes import (
    Objects,
    Outcomes,
    TruthForModels,
    find_object_of,
    judge_detections,
    take_alone,
)
from detectattn.drawing.families import TRUTH_COLOR, family_colors
from detectattn.drawing.marked_boxes import Mark, MarkedBox
from detectattn.drawing.side_by_side import Panel
from detectattn.evaluation.agreement import Agreement, ImageAgreement
from detectattn.evaluation.truth import FrameKey, GroundTruth
from detectattn.types import Detections, Family, Prediction

_NONE = -1


def build_panels(
    image: ImageAgreement,
    agreement: Agreement,
    truth: GroundTruth | None = None,
    families: Mapping[str, Family | None] | None = None,
) -> tuple[Panel, ...]:
    """One panel a model, after one for the ground truth where it covers the picture.

    :mod:`detectattn.compare.judge.outcomes` tells what is right, wrong, missed, and what does not count.

    Args:
        image: What the models find in one picture.
        agreement: What that picture is of.
        truth: What is in the pictures.
        families: Of each model, for its colour; a model that is missing, or None, is grey.
    """
    families = families or {}
    colors = family_colors([families.get(model) for model in agreement.models])
    finders = (image.objects != _NONE).sum(axis=1)
    objects = _find_objects(truth, (image.source, image.index), agreement.class_names)
    judged = [judge_detections(found, objects) for found in image.found]
    panels = [] if objects is None else [_truth_panel(objects, judged)]
    for k, (model, found) in enumerate(zip(agreement.models, image.found, strict=True)):
        by_row = finders[find_object_of(image, k)].tolist()
        marks = [Mark.ALL if n == len(agreement.models) else Mark.ONE if n == 1 else Mark.SOME for n in by_row]
        boxes = _list_boxes(found, agreement.class_names, marks, objects, judged[k])
        panels.append(Panel(model, colors[k], tuple(boxes)))
    return tuple(panels)


def build_lone_panels(
    prediction: Prediction, min_score: float, truth: GroundTruth | None = None, family: Family | None = None
) -> tuple[Panel, ...]:
    """As :func:`build_panels`, for a study of one model: what it finds from ``min_score`` on, and what is there."""
    image, names = take_alone(prediction, min_score)
    found = image.found[0]
    objects = _find_objects(truth, (prediction.source, prediction.index), names)
    judged = judge_detections(found, objects)
    boxes = _list_boxes(found, names, [Mark.FOUND] * len(found), objects, judged)
    panel = Panel(prediction.model, family_colors([family])[0], tuple(boxes))
    return (panel,) if objects is None else (_truth_panel(objects, [judged]), panel)


def _find_objects(truth: GroundTruth | None, key: FrameKey, class_names: Sequence[str]) -> Objects | None:
    return None if truth is None else TruthForModels.of(truth, class_names).find(key)


def _list_boxes(
    found: Detections, names: Sequence[str], marks: Sequence[Mark], objects: Objects | None, judged: Outcomes
) -> Iterator[MarkedBox]:
    """What a model finds, and what it misses."""
    for row, (box, score) in enumerate(zip(found.xyxy.tolist(), found.score.tolist(), strict=True)):
        mark = Mark.WRONG if judged.wrong[row] else Mark.UNCOUNTED if judged.uncounted[row] else marks[row]
        yield MarkedBox((box[0], box[1], box[2], box[3]), names[int(found.class_id[row])], score, mark)
    if objects is not None:
        for row in np.flatnonzero(objects.counts & ~judged.found).tolist():
            yield _truth_box(objects, row, Mark.MISSED)


def _truth_panel(objects: Objects, judged: Sequence[Outcomes]) -> Panel:
    finders = np.sum([j.found for j in judged], axis=0)
    boxes = []
    for row, counts in enumerate(objects.counts.tolist()):
        found = Mark.ALL if finders[row] == len(judged) else Mark.SOME if finders[row] else Mark.NONE
        boxes.append(_truth_box(objects, row, found if counts else Mark.UNCOUNTED))
    return Panel("ground truth", TRUTH_COLOR, tuple(boxes), is_truth=True)


def _truth_box(objects: Objects, row: int, mark: Mark) -> MarkedBox:
    x0, y0, x1, y1 = objects.xyxy[row].tolist()
    return MarkedBox((x0, y0, x1, y1), objects.names[row], None, mark)
