"""Let the models of a study explain what they disagree on: a map a model over each picture, and a sheet beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from detectattn.compare.dispute_pictures import DisputingModel, ExplainedByModel, write_disputes_of
from detectattn.compare.disputed_objects import choose_disputed, find_same
from detectattn.compare.draw import iter_wanted
from detectattn.compare.entrants import Entrant, FileEntrant, ModelEntrant
from detectattn.compare.explained import (
    DisputedPicture,
    ExplainedDisputes,
    has_explained,
    write_explained,
)
from detectattn.compare.measured import Measured
from detectattn.compare.rules import ACCURACY_IOU, ACCURACY_MAX_DET
from detectattn.drawing.families import family_colors
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import DetectattnError
from detectattn.evaluation.agreement import Agreement, ImageAgreement
from detectattn.evaluation.disputes import select_disputed
from detectattn.explain import picture as explaining
from detectattn.explain.choice import choose_first, choose_methods
from detectattn.explain.models import OnNotice, OpenModel, open_models
from detectattn.explain.objects import FoundObject
from detectattn.sources.base import ReadOptions
from detectattn.types import U8, Frame, FrameFailure, Media

MOST_EXPLAINED = 6
"""Pictures, the most disputed ones."""

OnPicture = Callable[[int, int], None]
"""Told how many pictures are done, of how many."""


def explain_disputed(
    agreement: Agreement,
    *,
    entrants: Sequence[Entrant],
    measured: Mapping[str, Measured],
    media: Sequence[Media | FrameFailure],
    read: ReadOptions,
    root: Path,
    on_notice: OnNotice,
    on_warning: OnNotice,
    on_picture: OnPicture = lambda *_: None,
) -> ExplainedDisputes | None:
    """Write the maps of disputed detections into a run folder, with an index.

    A model that fails is left out and told, never raised: it would cost the study.

    Every model looks again with PyTorch in single precision, at the size that it had in the study. Each disputed
    detection is found again there by its box and class; one that is not is left out.

    Args:
        agreement: What the models make of the pictures.
        entrants: Of the study; models are taken by their names in ``agreement``.
        measured: What is known of each, for its size and family.
        media: Where the pictures are.
        read: How they are read.
        root: The run folder.
        on_notice: Told what is opened.
        on_warning: Told which model is left out, and why.
        on_picture: Told how it goes.

    Returns:
        What was written; None where the folder has an index already, and nothing is done.

    Raises:
        OutputError: A picture cannot be written.
    """
    if has_explained(root):
        return None
    images = {(i.source, i.index): i for i in select_disputed(agreement, MOST_EXPLAINED)}
    ranks = {key: rank for rank, key in enumerate(images, start=1)}
    left_out: dict[str, str] = {}
    pictures: dict[int, DisputedPicture] = {}
    with ExitStack() as stack:
        benches = _open_all(agreement, entrants, measured, left_out, on_notice, stack) if images else []
        for done, frame in enumerate(iter_wanted(set(images), media, read) if benches else ()):
            on_picture(done, len(images))
            key = (frame.source, frame.index)
            objects = choose_disputed(images[key], agreement.class_names)
            found = _explain_frame(frame, images[key], objects, benches, left_out)
            if any(row is not None for done_by in found for row in done_by.rows):
                pictures[ranks[key]] = write_disputes_of(root, ranks[key], frame, objects, found)
    for text in left_out.values():
        on_warning(text.removesuffix("."))
    explained = ExplainedDisputes(tuple(pictures[rank] for rank in sorted(pictures)), left_out)
    write_explained(root, explained)
    return explained


def _open_all(
    agreement: Agreement,
    entrants: Sequence[Entrant],
    measured: Mapping[str, Measured],
    left_out: dict[str, str],
    on_notice: OnNotice,
    stack: ExitStack,
) -> list[DisputingModel]:
    by_name = {entrant.name: entrant for entrant in entrants}
    infos = {name: measured[name].info for name in agreement.models}
    colors = family_colors([None if info is None else info.family for info in infos.values()])
    benches = []
    for place, name in enumerate(agreement.models):
        entrant, info = by_name[name], infos[name]
        if isinstance(entrant, FileEntrant):
            left_out[name] = f"{name} is not explained: it is a file of predictions, with no model to look into."
            continue
        net_hw = entrant.options.imgsz_hw if info is None else info.net_hw
        if measured[name].conversion is not None:
            on_notice(f"{name} is explained with PyTorch, by the weights that it was converted from")
        try:
            model = replace(_open(entrant, net_hw, on_notice, stack), color=colors[place])
        except Exception as error:  # noqa: BLE001 - whatever the model's own code raises must not cost the study
            left_out[name] = f"{name} is not explained: {_tell(error)}"
            continue
        # One map for all, the one that explain shows first: unlike maps beside each other would compare the methods.
        benches.append(DisputingModel(model, place, choose_first(choose_methods(model.sites, ()), ())))
    return benches


def _open(entrant: ModelEntrant, net_hw: tuple[int, int] | None, on_notice: OnNotice, stack: ExitStack) -> OpenModel:
    options = replace(entrant.options, precision="fp32", batch=1, imgsz_hw=net_hw)
    text = f"{entrant.name}={entrant.weights.path}"
    (model,) = stack.enter_context(open_models([text], lambda _: entrant.weights, options, on_notice))
    return model


def _explain_frame(
    frame: Frame,
    image: ImageAgreement,
    objects: Sequence[FoundObject],
    benches: list[DisputingModel],
    left_out: dict[str, str],
) -> list[ExplainedByModel]:
    """Of each model; one that fails is taken off the benches, for it would be the same with every other picture."""
    done = []
    for bench in tuple(benches):
        name = bench.model.name
        try:
            done.append(_explain(frame.bgr, image, objects, bench))
        except Exception as error:  # noqa: BLE001 - whatever the model's own code raises must not cost the study
            benches.remove(bench)
            left_out[name] = f"{name} is not explained from {frame.source} on: {_tell(error)}"
    return done


def _explain(bgr: U8, image: ImageAgreement, objects: Sequence[FoundObject], bench: DisputingModel) -> ExplainedByModel:
    detector, found = bench.model.detector, image.found[bench.place]
    rows = [wanted.rows[bench.place] for wanted in objects]
    own = [
        replace(wanted, xyxy=found.xyxy[row], score=float(found.score[row]))
        for wanted, row in zip(objects, rows, strict=True)
        if row is not None
    ]
    # Another engine or precision gives slightly other scores, so one at the edge is looked for below it.
    conf = max(explaining.LOWEST_CONF, 0.5 * min((wanted.score for wanted in own), default=1.0))
    options = explaining.ExplainOptions(Thresholds(conf, ACCURACY_IOU, ACCURACY_MAX_DET), (bench.method,))
    look = explaining.look_at(detector, bgr, options)
    same = find_same(own, look.captured.detections, detector.info.class_names)
    chosen = [row for row in same if row is not None]
    explained = explaining.explain_look(detector, bgr, look, chosen, options)
    again = iter(same)
    places = (None if row is None else next(again) for row in rows)
    return ExplainedByModel(bench, explained, tuple(None if row is None else chosen.index(row) for row in places))


def _tell(error: Exception) -> str:
    """Why, with a full stop."""
    text = str(error) if isinstance(error, DetectattnError) else f"{type(error).__name__}: {error}"
    return f"{text.rstrip('.')}."
