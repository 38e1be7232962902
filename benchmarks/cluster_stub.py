"""A stand-in for a slow model: a stage of a fixed cost that takes no processor; replicas import it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from detectattn.cli.cluster_model import OpenSinks
from detectattn.sinks.base import Sink
from detectattn.types import Frame, ModelInfo, Prediction


@dataclass(frozen=True, slots=True)
class FixedCost(OpenSinks):
    """Opens what a shard writes, with the stage before it.

    Attributes:
        cost_ms: What a picture takes.
    """

    cost_ms: float = 0.0

    def __call__(self, folder: Path, model_info: ModelInfo) -> Sequence[Sink]:
        """The sinks of a shard's folder, that of the records last."""
        return [Wait(self.cost_ms), *OpenSinks.__call__(self, folder, model_info)]


class Wait:
    """Takes its time over every picture, one after the other; writes nothing."""

    parallel: ClassVar[bool] = False

    def __init__(self, cost_ms: float) -> None:
        self._cost_s = cost_ms / 1e3
        self._due_s = 0.0

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Wait until the picture's time is over: pictures that come late do not wait for more than their own."""
        self._due_s = max(self._due_s, time.perf_counter() - self._cost_s) + self._cost_s
        time.sleep(max(0.0, self._due_s - time.perf_counter()))

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note."""

    def close(self) -> None:
        """Nothing is left to do."""

    def abort(self) -> None:
        """Nothing is incomplete."""
