"""The study: models measured group by group, predictions made elsewhere read, ground truth set beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from detectattn.compare.conversions import Prepare, leave_as_is
from detectattn.compare.elsewhere import OpenElsewhere
from detectattn.compare.entrants import FileEntrant, ModelEntrant
from detectattn.compare.frames import FIRST_CHUNK_PICTURES, Chunk, PictureInfo, iter_chunks, iter_decoded
from detectattn.compare.groups import plan_groups
from detectattn.compare.measure import GroupRun, MeasureOptions, StudyEvents
from detectattn.compare.measured import Measured
from detectattn.compare.run_conf import read_run_conf
from detectattn.compare.study_folder import StudyFolder
from detectattn.compare.thumbnails import keep_thumbnails
from detectattn.compare.truth_of_study import StudyTruth
from detectattn.errors import BrokenPredictions, EmptySource, SourceError, TruthMismatch
from detectattn.evaluation.foreign import load_foreign
from detectattn.evaluation.truth import CocoIndex, FrameKey
from detectattn.sources.base import ReadOptions
from detectattn.types import FrameFailure, Media, ModelInfo


@dataclass(frozen=True, slots=True, eq=False)
class StudyPlan:
    """What a study is to do.

    Attributes:
        media: What to detect on; empty where every entrant is a file.
        read: How it is read.
        limit: Pictures at most; None for all.
        models: To be measured, each followed by its variants.
        files: Predictions made elsewhere.
        truth: As read; None without.
        rounds: Rounds of timing, 0 for none; None for ten, or more until 50 pictures are timed.
        match_size: Whether models run at the size of the first, where they can.
        temp_dir: Where decoded pictures lie meanwhile.
        thumbnails: Whether small copies of the pictures are kept for the page.
        prepare: Makes a model ready to be loaded: converts it, where it is to run converted.
        elsewhere: Where detections are made; None for the processes that models are timed in.
    """

    media: Sequence[Media | FrameFailure]
    read: ReadOptions
    limit: int | None
    models: Sequence[ModelEntrant]
    files: Sequence[FileEntrant]
    truth: StudyTruth | None
    rounds: int | None
    match_size: bool
    temp_dir: Path
    thumbnails: bool = False
    prepare: Prepare = leave_as_is
    elsewhere: OpenElsewhere | None = None

    @property
    def roots(self) -> tuple[Path, ...]:
        """What was given as sources, for matching names."""
        return () if self.truth is None else self.truth.roots


def require_rereadable(media: Sequence[Media | FrameFailure]) -> None:
    """Refuse live streams: no model would see what another saw.

    Raises:
        SourceError: One of the media is a stream or a camera.
    """
    for item in media:
        if isinstance(item, Media) and item.kind == "stream":
            raise SourceError(
                f"{item.source} is a live stream, and all models of a study must see the same pictures",
                hint="Record a part of it to a file, and compare on that",
            )


def run_study(plan: StudyPlan, folder: StudyFolder, events: StudyEvents) -> None:
    """Measure what is not measured yet; everything is in the run folder afterwards.

    Args:
        plan: What to do.
        folder: Where it goes; what is complete there is not done again.
        events: Told how it goes.

    Raises:
        EmptySource: Not one picture could be read.
        ConfigError: A variant of a sweep is impossible, or there are too few pictures to calibrate INT8 on.
        TruthMismatch: The ground truth is of other images or other classes.
        BrokenPredictions: A file of predictions cannot be read, or is of other images.
        OutputError: The run folder cannot be written to.
    """
    _measure_models(plan, folder, events)
    if plan.media:
        pictures = _require_pictures(plan, folder)
        frames: Mapping[FrameKey, tuple[int, int]] | None = {(p.source, p.index): p.size_hw for p in pictures}
        _place_truth(plan, folder, frames, events)
    else:
        frames = _place_truth(plan, folder, None, events)
    for entrant in plan.files:
        frames = _read_file(entrant, plan, folder, frames, events)
    if not plan.media and frames is not None:
        folder.write_pictures([PictureInfo(*key, size_hw, 0.0) for key, size_hw in frames.items()], ())


def _measure_models(plan: StudyPlan, folder: StudyFolder, events: StudyEvents) -> None:
    target_hw: tuple[int, int] | None = None
    for group in plan_groups(plan.models):
        earlier = {entrant.name: folder.read_measured(entrant.name) for entrant in group}
        infos = [m.info for m in earlier.values() if m is not None and m.info is not None and m.status != "failed"]
        target_hw = target_hw or (infos[0].net_hw if infos else None)
        todo = [e for e in group if (m := earlier[e.name]) is None or m.status != "finished"]
        if not todo:
            continue
        check = partial(_check_classes, plan.truth)
        options = MeasureOptions(plan.rounds, plan.match_size, check, plan.prepare, plan.elsewhere)
        run = GroupRun(todo, folder, options, events, target_hw)
        failures: list[FrameFailure] = []
        run.run(_iter_chunks(plan, folder, failures), _count_pictures(plan))
        target_hw = run.target_hw
        folder.write_pictures(run.pictures, failures if plan.elsewhere is None else run.failures)


def _check_classes(truth: StudyTruth | None, info: ModelInfo) -> None:
    if truth is not None:
        truth.check_classes(info.name, info.class_names)


def _iter_chunks(plan: StudyPlan, folder: StudyFolder, failures: list[FrameFailure]) -> Iterator[Chunk]:
    frames = iter_decoded(plan.media, plan.read, failures.append)
    # What models are timed on is decoded here, whoever detects.
    most = plan.limit if plan.elsewhere is None else min(plan.limit or FIRST_CHUNK_PICTURES, FIRST_CHUNK_PICTURES)
    chunks = iter_chunks(islice(frames, most), plan.temp_dir)
    return keep_thumbnails(chunks, folder.root) if plan.thumbnails else chunks


def _count_pictures(plan: StudyPlan) -> int | None:
    """How many pictures there are, or None where only reading tells."""
    if any(isinstance(item, Media) and item.kind != "image" for item in plan.media):
        return plan.limit
    return min(len(plan.media), plan.limit or len(plan.media))


def _require_pictures(plan: StudyPlan, folder: StudyFolder) -> tuple[PictureInfo, ...]:
    """The pictures of the study, read for their sizes where no model did."""
    pictures, failures = folder.read_pictures()
    if not pictures and not failures:
        met: list[FrameFailure] = []
        pictures = tuple(
            info for chunk in _iter_chunks(replace(plan, elsewhere=None), folder, met) for info in chunk.infos
        )
        failures = tuple(met)
        folder.write_pictures(pictures, failures)
    if not pictures:
        why = f": {failures[0].message.rstrip('.')}" if failures else ""
        raise EmptySource(
            f"not one picture could be read{why}", hint="Name images, videos, or a folder that holds some"
        )
    return pictures


def _place_truth(
    plan: StudyPlan, folder: StudyFolder, frames: Mapping[FrameKey, tuple[int, int]] | None, events: StudyEvents
) -> Mapping[FrameKey, tuple[int, int]] | None:
    """Write the ground truth as applied; its own images, where there are no others."""
    if plan.truth is None:
        return frames
    try:
        truth = plan.truth.place(frames)
    except TruthMismatch as error:
        if plan.truth.named:
            raise
        events.warn(f"ground truth was found but not used: {error}")
        return frames
    folder.write_truth(truth, named=plan.truth.named)
    return frames or {key: image.size_hw for key, image in truth.images.items()}


def _read_file(
    entrant: FileEntrant,
    plan: StudyPlan,
    folder: StudyFolder,
    frames: Mapping[FrameKey, tuple[int, int]] | None,
    events: StudyEvents,
) -> Mapping[FrameKey, tuple[int, int]]:
    """Write predictions made elsewhere as records; the pictures of the study, which the first file may decide."""
    events.advance("load", entrant.name, 0, 1)
    index: CocoIndex | None = None if plan.truth is None else plan.truth.coco
    found = load_foreign(entrant.path, entrant.name, index, frames, plan.roots)
    if not found.predictions:
        raise BrokenPredictions(
            f"{entrant.path} holds no predictions", hint="Give COCO results or a predictions.jsonl that holds some"
        )
    if plan.truth is not None and found.class_names:
        plan.truth.check_classes(entrant.name, found.class_names)
    folder.write_records(entrant.name, found.predictions)
    folder.write_measured(
        Measured(
            name=entrant.name,
            kind="predictions",
            base=entrant.name,
            variant={},
            status="finished",
            file=str(entrant.path),
            sha256=entrant.sha256,
            class_names=found.class_names,
            notes=found.notes,
            scores_from=read_run_conf(entrant.path),
        )
    )
    return frames or {(p.source, p.index): p.size_hw for p in found.predictions}
