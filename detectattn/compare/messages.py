"""What the study and its child processes say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from detectattn.compare.energy import MeterName
from detectattn.engines.base import EngineOptions
from detectattn.errors import DetectattnError
from detectattn.types import Detections, ModelInfo, WeightsFile


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a child process is to load.

    Attributes:
        name: The model's name in the study.
        weights: The model on disk.
        options: How to run it.
        engine: ``auto`` or an engine's name.
        pictures: A file of decoded pictures, as :mod:`detectattn.compare.pictures` writes it.
    """

    name: str
    weights: WeightsFile
    options: EngineOptions
    engine: str
    pictures: Path


@dataclass(frozen=True, slots=True)
class Loaded:
    """A child's first word.

    Attributes:
        info: The model.
        load_s: From the start of the process to the model being ready, imports included.
        params_m: Millions of parameters, or None where the engine cannot tell.
        weights_mb: Size on disk in megabytes (10^6 bytes).
        net_pixels: Pixels of the network's input for each picture, in order.
        max_det: Objects that it can find in one picture at most, where its queries or its graph limit that.
        gflops: Own count for one picture at its input size, or None where the engine cannot tell.
        meter: Which meter tells the energy of its device, or None where none can be read.
    """

    info: ModelInfo
    load_s: float
    params_m: float | None
    weights_mb: float
    net_pixels: tuple[int, ...]
    max_det: int | None = None
    gflops: float | None = None
    meter: MeterName | None = None


@dataclass(frozen=True, slots=True)
class TimePictures:
    """Asks for the stages of each picture, one at a time."""

    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Milliseconds of each picture asked for, in order.

    ``energy_j`` is what the device drew for all of them together, idle draw included; None where no meter can be read.
    """

    preprocess_ms: tuple[float, ...]
    forward_ms: tuple[float, ...]
    postprocess_ms: tuple[float, ...]
    energy_j: float | None = None

    @property
    def total_ms(self) -> tuple[float, ...]:
        """From pixels to boxes, of each picture."""
        stages = zip(self.preprocess_ms, self.forward_ms, self.postprocess_ms, strict=True)
        return tuple(sum(stage) for stage in stages)


@dataclass(frozen=True, slots=True)
class TimeBatch:
    """Asks how long ``repeats`` forward passes of ``batch`` pictures take."""

    batch: int
    repeats: int


@dataclass(frozen=True, slots=True)
class BatchTime:
    """Seconds of each repeat, or None when the model cannot take such a batch or the memory does not suffice."""

    seconds: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Detect:
    """Asks for the detections of pictures, down to ``conf``, several classes a box.

    ``pictures`` is the file that holds them; the one that the child was started with, where it is None.
    """

    indices: tuple[int, ...]
    conf: float
    iou: float
    max_det: int
    pictures: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """Detections of each picture asked for, in order, boxes in its pixels; and what each took."""

    detections: tuple[Detections, ...]
    times: StageTimes


@dataclass(frozen=True, slots=True)
class AskMemory:
    """Asks for the peak memory so far."""


@dataclass(frozen=True, slots=True)
class PeakMemory:
    """Peak memory in megabytes (10^6 bytes): of the process, and on its device where it has one of its own."""

    rss_mb: float
    device_mb: float | None


@dataclass(frozen=True, slots=True)
class Leave:
    """Asks the child to end."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A request that failed; the child goes on."""

    error: DetectattnError


Request = TimePictures | TimeBatch | Detect | AskMemory | Leave
Reply = Loaded | StageTimes | BatchTime | Detected | PeakMemory | Failed
