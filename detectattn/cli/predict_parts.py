"""What one run of ``predict`` is put together from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from detectattn.engines.detector import Detector
from detectattn.pipeline.folder_watch import FolderWatch
from detectattn.pipeline.live import Live
from detectattn.pipeline.recovery import Rescue
from detectattn.pipeline.stages import RunOptions
from detectattn.sinks.base import Sink
from detectattn.sources.base import ReadOptions
from detectattn.types import FrameFailure, Media, RunManifest


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What a run is put together from.

    Attributes:
        folder: The run's.
        manifest: What its ``run.json`` says while it goes on.
        media: What is left to do.
        read: How that is read.
        detector: The model, open.
        options: How the stages are run.
        sinks: Where everything goes, that of the records last.
        live: Its streams.
        rescue: What is done where the model fails.
        watch: Whether the folder still is where it was.
    """

    folder: Path
    manifest: RunManifest
    media: Iterator[Media | FrameFailure]
    read: ReadOptions
    detector: Detector
    options: RunOptions
    sinks: Sequence[Sink]
    live: Live
    rescue: Rescue
    watch: FolderWatch
