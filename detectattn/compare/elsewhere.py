"""Detections that are made elsewhere than in the models' own processes: what a study asks for, and what it gets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from detectattn.compare.frames import PictureInfo
from detectattn.compare.measured import Measured
from detectattn.compare.messages import WorkerSpec
from detectattn.types import FrameFailure


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a model saw; its detections are in the run folder.

    Attributes:
        pictures: The pictures that it has a record of, in their order.
        failures: What could not be read.
        note: How they were made, a sentence without a final full stop.
    """

    pictures: tuple[PictureInfo, ...]
    failures: tuple[FrameFailure, ...]
    note: str


class DetectAll(Protocol):
    """Detects on all pictures of a study with one model."""

    def __call__(self, spec: WorkerSpec, measured: Measured) -> Seen:
        """Write the model's records; those that an earlier sitting has left are not made again.

        Args:
            spec: The model as it was timed.
            measured: What is known of it.

        Raises:
            DetectattnError: The model cannot be run there; ``ClusterError``, ``FetchError`` and ``OutputError`` where
                that is not for the model's sake.
        """
        ...


OpenElsewhere = Callable[[], AbstractContextManager[DetectAll]]
"""Opens the other place for as long as a group of models needs it."""
