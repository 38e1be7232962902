"""What every replica of a run does alike: decided once, recorded in ``run.json``, taken over by a resume."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from detectattn.engines.base import EngineOptions
from detectattn.engines.postprocess import Thresholds
from detectattn.sinks.base import Sink
from detectattn.sources.base import ReadOptions
from detectattn.storage.base import Store
from detectattn.types import ModelInfo

ModelFormat = Literal["pt", "safetensors", "onnx", "openvino", "tensorrt"]
OpenSinks = Callable[[Path, ModelInfo], Sequence[Sink]]
"""Opens the sinks of a folder, that of the records last; can be pickled."""


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """A model's files as they lie in a run's store.

    Attributes:
        format: As in :class:`~detectattn.types.WeightsFile`.
        main: The file that an engine opens; empty where it opens the folder.
        files: SHA-256 by name.
        sha256: Of names and digests together.
    """

    format: ModelFormat
    main: str
    files: Mapping[str, str]
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelSetup:
    """How every replica opens the model.

    Attributes:
        package: Its files.
        name: Its name in records.
        engine: ``torch``, ``openvino``, ``onnx``.
        options: Device, precision, image size, batch, threads, streams.
        original: The weights that ``package`` was made from, for PyTorch; None where it was made from nothing.
    """

    package: ModelPackage
    name: str
    engine: str
    options: EngineOptions
    original: ModelPackage | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RunSettings:
    """What a replica needs; can be pickled.

    Attributes:
        store: Where the results go.
        shared: Where the lists of inputs and the model's files lie; the same place, where one model is run.
        model: How the model is opened.
        thresholds: Which detections are kept.
        read: How inputs are read.
        isolate: Which inputs are decoded in processes of their own; see :mod:`detectattn.sources.isolation`.
        workers: Threads that decode, and as many that write.
        open_sinks: What is written.
    """

    store: Store
    shared: Store
    model: ModelSetup
    thresholds: Thresholds
    read: ReadOptions
    isolate: str
    workers: int
    open_sinks: OpenSinks


@dataclass(frozen=True, slots=True)
class ReplicaSize:
    """What a replica takes of a machine.

    Attributes:
        cpus: Processor cores.
        gpus: GPUs; less than one where replicas share one.
    """

    cpus: int
    gpus: float = 0.0

    def to_ray_options(self) -> dict[str, Any]:
        """As Ray's ``options`` takes it."""
        return {"num_cpus": self.cpus, "num_gpus": self.gpus}
