"""One picture explained by all models together: what is shown of it, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detectattn.explain.models import OpenModel
from detectattn.explain.objects import FoundObject, choose_objects
from detectattn.explain.picture import ExplainedPicture, ExplainOptions, explain_look, look_at
from detectattn.types import U8

OnModelStep = Callable[[str, str, int, int], None]
"""Told how far a picture is: name of the model, ``look``, ``maps`` or ``scores``, how many are done, of how many."""


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedFrame:
    """A picture and all models.

    Attributes:
        objects: What is explained, the surest first.
        rows: By object and model, the row of that model's explained detections; None where it does not find the object.
        explained: By model.
    """

    objects: tuple[FoundObject, ...]
    rows: tuple[tuple[int | None, ...], ...]
    explained: tuple[ExplainedPicture, ...]


def explain_frame(
    models: Sequence[OpenModel],
    bgr: U8,
    options: Sequence[ExplainOptions],
    top: int,
    on_step: OnModelStep = lambda *_: None,
) -> ExplainedFrame:
    """Let every model look at a picture, choose what is explained, and explain it.

    Args:
        models: Whose detections.
        bgr: u8[H, W, 3], the upright picture.
        options: Of each model.
        top: Objects at most.
        on_step: Told how it goes; what it raises ends the picture.

    Raises:
        EngineError: A model cannot be looked into.
        OutOfMemory: The memory does not suffice; the hint names what does.
    """
    looks = []
    for place, (model, wanted) in enumerate(zip(models, options, strict=True)):
        on_step(model.name, "look", place, len(models))
        looks.append(look_at(model.detector, bgr, wanted))
    class_names = [model.detector.info.class_names for model in models]
    objects = choose_objects([look.captured.detections for look in looks], class_names, top)
    explained = []
    rows: list[list[int | None]] = [[] for _ in objects]
    for place, (model, look, wanted) in enumerate(zip(models, looks, options, strict=True)):
        chosen = [row for found in objects if (row := found.rows[place]) is not None]
        for cells, found in zip(rows, objects, strict=True):
            detection = found.rows[place]
            cells.append(None if detection is None else chosen.index(detection))

        def step(stage: str, done: int, total: int, name: str = model.name) -> None:
            on_step(name, stage, done, total)

        explained.append(explain_look(model.detector, bgr, look, chosen, wanted, step))
    return ExplainedFrame(objects, tuple(map(tuple, rows)), tuple(explained))
