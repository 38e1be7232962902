"""The detections of one model of a study on a Ray cluster, from its files to its records."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from detectattn.compare.elsewhere import Seen
from detectattn.compare.frames import PictureInfo
from detectattn.compare.measure import StudyEvents
from detectattn.compare.measured import Measured
from detectattn.compare.messages import WorkerSpec
from detectattn.compare.rules import ACCURACY_CONF, ACCURACY_IOU, ACCURACY_MAX_DET
from detectattn.compare.study_folder import StudyFolder
from detectattn.distributed.board import Progress
from detectattn.distributed.drive import BoardHandle, iter_outcomes
from detectattn.distributed.failure_text import to_error
from detectattn.distributed.layout import to_records_name
from detectattn.distributed.manifest import Manifest
from detectattn.distributed.model_files import put_model
from detectattn.distributed.recorded import list_done, read_failures, sum_markers
from detectattn.distributed.session import Node
from detectattn.distributed.settings import ModelSetup, ReplicaSize, RunSettings
from detectattn.distributed.sizing import choose_size, count_fitting, plan_pool
from detectattn.engines.base import EngineOptions
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import ClusterError
from detectattn.records import parse_record
from detectattn.sinks import open_sink
from detectattn.sinks.base import Sink
from detectattn.sources.base import ReadOptions
from detectattn.storage import Store, open_store
from detectattn.types import ModelInfo, Prediction


@dataclass(frozen=True, slots=True)
class Interrupts:
    """What signals ask for; nobody breaks into Ray's core for them, which would end the process.

    Attributes:
        is_stopped: Whether nothing more is to be begun.
        is_hurried: Whether what is under way is not waited for either.
    """

    is_stopped: Callable[[], bool]
    is_hurried: Callable[[], bool]


_LOOK_S = 0.5
_MOST_WORKERS = 16
_THRESHOLDS = Thresholds(ACCURACY_CONF, ACCURACY_IOU, ACCURACY_MAX_DET, multi_label=True)


@dataclass(frozen=True, slots=True)
class ClusterWish:
    """Which cluster, and what of it.

    Attributes:
        address: ``local``, ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``.
        replicas: How often each model is loaded; None for as often as it fits.
        replica_cpus: Cores of each; None for all of a machine, or its share beside a GPU.
        replica_gpus: GPUs of each; None for one where there are any.
        shard_size: Pictures a shard.
        verbose: Let Ray say what it does.
    """

    address: str
    replicas: int | None
    replica_cpus: int | None
    replica_gpus: float | None
    shard_size: int
    verbose: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ClusterModel:
    """Detects with one model after another, on all pictures of a study.

    Attributes:
        wish: What of the cluster.
        nodes: Its machines.
        manifest: The list of the pictures, in shards.
        shared: Where that list lies, and where the models' files and the shards go.
        read: How pictures are read.
        folder: The study.
        events: Told how it goes.
        interrupts: Asked for now and then.
    """

    wish: ClusterWish
    nodes: Sequence[Node]
    manifest: Manifest
    shared: Store
    read: ReadOptions
    folder: StudyFolder
    events: StudyEvents
    interrupts: Interrupts

    def detect(self, spec: WorkerSpec, measured: Measured) -> Seen:
        """Detect on all pictures; a :class:`~detectattn.compare.elsewhere.DetectAll`.

        Raises:
            DetectattnError: As that says.
            KeyboardInterrupt: It was stopped; what replicas were at is finished.
        """
        size = choose_size(self.nodes, spec.options.device, self.wish.replica_cpus, self.wish.replica_gpus)
        settings = self._settings(spec, measured, size)
        done = list_done(settings.store)
        if done:
            self.events.say(f"{spec.name}: {len(done):,} of {self.manifest.shards:,} shards are done")
        left = [shard for shard in range(self.manifest.shards) if shard not in done]
        if left:
            self._work(left, sum_markers(done, settings.store).inputs, settings, size)
        missing = self.manifest.shards - len(list_done(settings.store))
        if missing:
            raise ClusterError(
                f"{missing:,} of {self.manifest.shards:,} shards of {spec.name} are not done", hint="--resume does them"
            )
        pictures: list[PictureInfo] = []
        self.folder.write_record_lines(spec.name, self._iter_lines(settings.store, pictures))
        machines = f"{len(self.nodes):,} machine{'' if len(self.nodes) == 1 else 's'}"
        note = f"detections were made on a Ray cluster of {machines}"
        if measured.timed is not None:
            note += "; times are those of the machine that the study ran on"
        return Seen(tuple(pictures), tuple(read_failures(settings.store, self.manifest.inputs)), note)

    def _settings(self, spec: WorkerSpec, measured: Measured, size: ReplicaSize) -> RunSettings:
        assert measured.info is not None
        package = put_model(spec.weights, self.shared)
        node_cpus = max((node.cpus for node in self.nodes if count_fitting(node, size)), default=size.cpus)
        options = replace(
            spec.options,
            imgsz_hw=measured.info.net_hw,
            threads=size.cpus if size.cpus < node_cpus else spec.options.threads,
        )
        # By the model's content too: shards that another file of that name has left are none of its own.
        place = f"{self.shared.url}/{self.folder.file_name(spec.name)}-{_sign(package.sha256, options)}"
        return RunSettings(
            store=open_store(place, offline=self.read.offline),
            shared=self.shared,
            # Without the weights that it was converted from: nothing else may answer in a model's place here.
            model=ModelSetup(package, spec.name, spec.engine, options),
            thresholds=_THRESHOLDS,
            read=replace(self.read, temp_dir=None, isolation=None),
            isolate="auto",
            workers=min(_MOST_WORKERS, size.cpus),
            open_sinks=_open_records,
        )

    def _work(self, left: Sequence[int], before: int, settings: RunSettings, size: ReplicaSize) -> None:
        pool = plan_pool(self.nodes, size, self.wish.replicas, len(left))
        board, progress, looked_s = BoardHandle(), Progress(), 0.0
        by_client = self.wish.address.startswith("ray://")
        with closing(iter_outcomes(left, settings, pool, board, by_client=by_client)) as outcomes:
            for _ in outcomes:
                if self.interrupts.is_hurried():
                    break
                if time.monotonic() - looked_s < _LOOK_S:
                    continue
                looked_s = time.monotonic()
                progress = board.look() or progress
                self.events.advance("detect", settings.model.name, before + progress.inputs, self.manifest.inputs)
                is_stopped = self.interrupts.is_stopped()
                if is_stopped:
                    board.stop()
                if (is_stopped or progress.error is not None) and progress.busy == 0:
                    break
        progress = board.look() or progress
        for text in progress.warnings:
            self.events.warn(f"{settings.model.name}: {text}")
        if self.interrupts.is_stopped():
            raise KeyboardInterrupt
        if progress.error is not None:
            raise to_error(progress.error)

    def _iter_lines(self, store: Store, pictures: list[PictureInfo]) -> Iterator[bytes]:
        """Yield the records of all shards in the order of the inputs, and note the picture of each."""
        for shard in range(self.manifest.shards):
            for line in store.get(to_records_name(shard)).splitlines(keepends=True):
                pictures.append(_to_info(parse_record(line.decode("utf-8"))))
                yield line


def _to_info(record: Prediction) -> PictureInfo:
    return PictureInfo(
        record.source, record.index, record.size_hw, record.timing.decode_ms, record.timestamp_s, record.warnings
    )


def _open_records(folder: Path, model_info: ModelInfo) -> Sequence[Sink]:
    return [open_sink("jsonl", folder, model_info)]


def _sign(sha256: str, options: EngineOptions) -> str:
    """A mark of a model's files and of all that changes what it finds."""
    how = (options.imgsz_hw, options.precision, options.decoder_layers, options.queries)
    return hashlib.sha256(f"{sha256} {how}".encode()).hexdigest()[:12]
