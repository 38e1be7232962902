"""What a run of ``predict`` writes and shows."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from detectattn.config import PredictConfig, parse_rotate
from detectattn.drawing import draw_detections
from detectattn.errors import DetectattnError, OutputError
from detectattn.pipeline.channel import StopSignal
from detectattn.sinks import IN_PARTS, open_sink
from detectattn.sinks.annotated_image import AnnotatedImageSink
from detectattn.sinks.base import Sink
from detectattn.sinks.late import LateSink
from detectattn.sinks.parts import PartLimit, PartsSink, PartTurn
from detectattn.types import U8, Frame, ModelInfo, Prediction


def draw_prediction(frame: Frame, prediction: Prediction) -> U8:
    """The frame with its detections drawn on it."""
    return draw_detections(frame.bgr, prediction.detections, prediction.class_names)


def open_sinks(folder: Path, config: PredictConfig, model_info: ModelInfo) -> list[Sink]:
    """The sinks of a new run folder, that of the records last; where one cannot be opened, no empty folder is left."""
    turn = PartTurn(PartLimit(*parse_rotate(config.rotate))) if config.rotate else None
    try:
        outputs = open_outputs(folder, config, model_info, turn=turn)
        return [*outputs, _open_named("jsonl", folder, model_info, turn=turn)]
    except DetectattnError:
        shutil.rmtree(folder)  # holds nothing but what this run made before its first picture
        raise


def open_outputs(
    folder: Path, config: PredictConfig, model_info: ModelInfo, *, resume: bool = False, turn: PartTurn | None = None
) -> list[Sink]:
    """The sinks of a run folder but for that of the records.

    Args:
        folder: The run folder.
        config: What is written.
        model_info: The model.
        resume: Whether the folder is that of an unfinished run, which goes on.
        turn: Says when files begin a new part; None for no parts.
    """
    sinks: list[Sink] = []
    if config.images:
        sinks += [
            AnnotatedImageSink(folder / "images", draw_prediction, resume=resume),
            LateSink(("video", "stream"), lambda: _open_videos(folder / "videos", resume=resume, turn=turn)),
        ]
    names = dict.fromkeys(config.save)
    return sinks + [_open_named(name, folder, model_info, resume=resume, turn=turn) for name in names]


def abort_sinks(sinks: Sequence[Sink]) -> None:
    """Discard what is incomplete of a run that ended before it could begin; the error that ended it is told."""
    for sink in sinks:
        with suppress(OutputError):
            sink.abort()


def open_window(stop: StopSignal) -> Sink:
    """A window that shows annotated pictures as they come; closing it stops the run."""
    from detectattn.sinks.show import ShowSink

    return ShowSink(draw_prediction, on_quit=stop.set)


def _open_named(
    name: str, folder: Path, model_info: ModelInfo, *, resume: bool = False, turn: PartTurn | None = None
) -> Sink:
    if turn is None or name not in IN_PARTS:
        return open_sink(name, folder, model_info, resume=resume)
    return PartsSink(turn, lambda part: open_sink(name, folder, model_info, part=part))


def _open_videos(folder: Path, *, resume: bool, turn: PartTurn | None) -> Sink:
    from detectattn.sinks.annotated_video import AnnotatedVideoSink

    if turn is None:
        return AnnotatedVideoSink(folder, draw_prediction, resume=resume)
    return PartsSink(turn, lambda part: AnnotatedVideoSink(folder, draw_prediction, part=part))
