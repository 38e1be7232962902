"""The model of a run of ``predict``: located, opened on the engine that suits the work, described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from detectattn.classes import resolve_class_ids
from detectattn.cli.console import Notices
from detectattn.cli.download_progress import show_download
from detectattn.cli.predict_resume import Resumed
from detectattn.cli.step_progress import show_steps
from detectattn.config import AUTO_BATCH, PredictConfig, parse_batch, parse_imgsz, split_model_name
from detectattn.conversion.choose import OpenedModel, open_model
from detectattn.conversion.work import Tell, Work
from detectattn.drawing import missing_glyphs
from detectattn.engines.base import EngineOptions, Hint
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.pipeline.choose_batch import BatchChoice, choose_batch, fit_first
from detectattn.pipeline.reading import OpenFrames
from detectattn.pipeline.tally import RunTally
from detectattn.types import FrameFailure, Media
from detectattn.weights.locate import locate_weights


@dataclass(frozen=True, slots=True)
class ModelWish:
    """What a run wants of its model.

    Attributes:
        config: The options as given.
        resumed: The folder of an earlier sitting, whose model it must be; None for a new run.
        sources: As typed.
        hint: Whether each picture is waited for, or the last of many.
        quiet: Show no progress.
    """

    config: PredictConfig
    resumed: Resumed | None
    sources: Sequence[str]
    hint: Hint
    quiet: bool

    @property
    def opening(self) -> PredictConfig:
        """The options that open it: those of the earlier sitting, where there is one."""
        return self.config if self.resumed is None else self.resumed.fix(self.config)

    @property
    def options(self) -> EngineOptions:
        """How it is to be run."""
        return EngineOptions(
            device=self.config.device,
            precision=self.config.precision,
            imgsz_hw=parse_imgsz(self.config.imgsz),
            batch=parse_batch(self.opening.batch),
            trust_weights=self.config.trust_weights,
            hint=self.hint,
        )


def open_run_model(wish: ModelWish, pictures: int | None, notices: Notices) -> OpenedModel:
    """The model on the engine that suits it and so many pictures or frames; says which.

    Raises:
        ModelError, EngineError, FetchError: It cannot be had or opened.
        ChecksumMismatch: It is not the one that the earlier sitting began with.
    """
    config = wish.config
    name, model = split_model_name(config.model)
    with show_download(quiet=wish.quiet) as on_progress:
        weights = locate_weights(model, offline=config.offline, on_notice=notices.say, on_progress=on_progress)
    if wish.resumed is not None:
        wish.resumed.require_weights(weights)
    work = Work(pictures, tuple(wish.sources), config.calibrate)
    with show_steps(quiet=wish.quiet) as on_step:
        tell = Tell(notices.say, notices.warn, on_step)
        opened = open_model(weights, wish.options, name=name, engine=wish.opening.engine, work=work, tell=tell)
    _announce(opened, notices)
    return opened


def _announce(opened: OpenedModel, notices: Notices) -> None:
    notices.detail(f"engine: {opened.reason}")
    info = opened.detector.info
    classes = f"{len(info.class_names):,} class{'' if len(info.class_names) == 1 else 'es'}"
    size = f"{info.net_hw[0]}×{info.net_hw[1]}"
    notices.say(f"{info.name} ({info.family}): {info.engine} on {info.device}, {info.precision}, {size}, {classes}")
    if missing := missing_glyphs(info.class_names):
        notices.warn(missing)


def fit_batch(
    detector: Detector,
    wish: ModelWish,
    first: Media | FrameFailure,
    open_frames: OpenFrames,
    notices: Notices,
) -> BatchChoice | None:
    """Take the batch size that is fastest for pictures as large as the first; None where the size was given."""
    if wish.opening.batch != AUTO_BATCH:
        return None
    choice = choose_batch(detector, fit_first(detector, first, open_frames))
    detector.batch = choice.batch
    notices.say(choice.describe())
    return choice


def choose_thresholds(config: PredictConfig, class_names: Mapping[int, str]) -> Thresholds:
    """Which detections are kept.

    Raises:
        UnknownClass: The model lacks a class that is asked for.
    """
    wanted = resolve_class_ids(config.classes, class_names) if config.classes else None
    return Thresholds(config.conf, config.iou, config.max_det, None if wanted is None else tuple(wanted))


def note_recovered(model: Mapping[str, Any], tally: RunTally) -> dict[str, Any]:
    """The same once the run has ended: with the batch that it ended with, and with what it got over."""
    recovered = [*model.get("recovered", ()), *(asdict(recovery) for recovery in tally.recovered)]
    batch = model["batch"] if tally.last_batch is None else tally.last_batch
    return {**model, "batch": batch, **({"recovered": recovered} if recovered else {})}


def describe_opened(opened: OpenedModel, hint: Hint) -> dict[str, Any]:
    """What ``run.json`` keeps of the model, its engine and how both are run."""
    detector = opened.detector
    return {
        **asdict(detector.info),
        "batch": detector.batch,
        "fit": detector.engine.spec.fit,
        "hint": hint,
        "streams": detector.engine.spec.streams,
        "engine_reason": opened.reason,
        "conversion": opened.conversion,
        "weights": asdict(detector.weights),
    }
