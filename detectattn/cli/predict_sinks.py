"""What a run of ``predict`` writes and shows."""

from __future__ import annotations

import shutil
from pathlib import Path

from detectattn.config import PredictConfig
from detectattn.drawing import draw_detections
from detectattn.errors import DetectattnError
from detectattn.pipeline.channel import StopSignal
from detectattn.sinks import open_sink
from detectattn.sinks.annotated_image import AnnotatedImageSink
from detectattn.sinks.base import Sink
from detectattn.sinks.late import LateSink
from detectattn.types import U8, Frame, ModelInfo, Prediction


def draw_prediction(frame: Frame, prediction: Prediction) -> U8:
    """The frame with its detections drawn on it."""
    return draw_detections(frame.bgr, prediction.detections, prediction.class_names)


def open_sinks(folder: Path, config: PredictConfig, model_info: ModelInfo) -> list[Sink]:
    """The sinks of a new run folder, that of the records last; where one cannot be opened, no empty folder is left."""
    try:
        return [*open_outputs(folder, config, model_info), open_sink("jsonl", folder, model_info)]
    except DetectattnError:
        shutil.rmtree(folder)  # holds nothing but what this run made before its first picture
        raise


def open_outputs(folder: Path, config: PredictConfig, model_info: ModelInfo, *, resume: bool = False) -> list[Sink]:
    """The sinks of a run folder but for that of the records.

    Args:
        folder: The run folder.
        config: What is written.
        model_info: The model.
        resume: Whether the folder is that of an unfinished run, which goes on.
    """
    sinks: list[Sink] = []
    if config.images:
        sinks += [
            AnnotatedImageSink(folder / "images", draw_prediction, resume=resume),
            LateSink(("video", "stream"), lambda: _open_videos(folder / "videos", resume=resume)),
        ]
    return sinks + [open_sink(name, folder, model_info, resume=resume) for name in dict.fromkeys(config.save)]


def open_window(stop: StopSignal) -> Sink:
    """A window that shows annotated pictures as they come; closing it stops the run."""
    from detectattn.sinks.show import ShowSink

    return ShowSink(draw_prediction, on_quit=stop.set)


def _open_videos(folder: Path, *, resume: bool) -> Sink:
    from detectattn.sinks.annotated_video import AnnotatedVideoSink

    return AnnotatedVideoSink(folder, draw_prediction, resume=resume)
