"""From the options of ``explain`` to what its parts want."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing

from detectattn.attention.maps.base import Choice
from detectattn.classes import resolve_class_ids
from detectattn.cli.console import Notices
from detectattn.config import ExplainConfig, parse_imgsz
from detectattn.engines.base import EngineOptions
from detectattn.engines.postprocess import Thresholds
from detectattn.explain.choice import choose_methods, require_choice
from detectattn.explain.models import OpenModel
from detectattn.explain.picture import ExplainOptions
from detectattn.pipeline.reading import next_frame
from detectattn.sources import iter_frames
from detectattn.sources.base import ReadOptions
from detectattn.types import Frame, FrameFailure, Media


def engine_options(config: ExplainConfig) -> EngineOptions:
    """How models are run."""
    return EngineOptions(
        device=config.device,
        precision="fp32",
        imgsz_hw=parse_imgsz(config.imgsz),
        batch=1,
        trust_weights=config.trust_weights,
    )


def explain_options(config: ExplainConfig, model: OpenModel) -> ExplainOptions:
    """What is explained of a model.

    Raises:
        UnknownClass: The model lacks a class.
    """
    names = model.detector.info.class_names
    wanted = tuple(resolve_class_ids(config.classes, names)) if config.classes else None
    return ExplainOptions(
        thresholds=Thresholds(config.conf, config.iou, class_ids=wanted),
        methods=config.maps,
        choice=Choice(config.head, config.layer, config.seed),
        score=config.score,
    )


def check_maps(config: ExplainConfig, models: Sequence[OpenModel], notices: Notices) -> None:
    """Say what a model gets in place of maps that it cannot have.

    Raises:
        ConfigError: There is no such layer or head in any model.
    """
    methods = {name for model in models for name in choose_methods(model.sites, config.maps)}
    require_choice({m.name: m.sites for m in models}, sorted(methods), Choice(config.head, config.layer))
    for model in models:
        own = choose_methods(model.sites, config.maps)
        if config.maps and not set(config.maps) & set(own):
            notices.warn(f"{model.name} can have none of {', '.join(config.maps)}: it is shown by {own[0]}")
        elif not model.sites:
            notices.say(f"{model.name} has no attention: its maps are those of gradients, such as layercam")


def iter_all_frames(
    media: Iterator[Media | FrameFailure], read: ReadOptions, fail: Callable[[FrameFailure], None]
) -> Iterator[Frame]:
    """Frames in the order of the input; what cannot be read is told, and the others go on."""
    for item in media:
        if isinstance(item, FrameFailure):
            fail(item)
            continue
        with closing(_open(item, read)) as frames:
            index = None
            while (frame := next_frame(item, frames, index)) is not None:
                if isinstance(frame, FrameFailure):
                    fail(frame)
                    break
                yield frame
                index = frame.index + 1


def _open(media: Media, read: ReadOptions) -> Generator[Frame]:
    """Frames of a medium; what opening it raises comes with the first."""
    yield from iter_frames(media, read)
