"""The model of a run on a cluster: located here, opened once by a scout there, or as an earlier sitting opened it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from detectattn.cli.console import Notices
from detectattn.cli.download_progress import show_download
from detectattn.cli.predict_model import choose_thresholds, describe_opened
from detectattn.cli.predict_sinks import open_sinks
from detectattn.cli.reading import read_options, reduce_pictures
from detectattn.cli.step_progress import show_steps
from detectattn.config import AUTO_BATCH, PredictConfig, parse_batch, parse_imgsz, split_model_name
from detectattn.conversion.choose import OpenedModel
from detectattn.conversion.work import Work
from detectattn.distributed.drive import open_model_there
from detectattn.distributed.manifest import Manifest, read_shard
from detectattn.distributed.model_files import put_model
from detectattn.distributed.recorded import setup_from_dict, setup_to_dict
from detectattn.distributed.scout import ScoutReport, ScoutRequest
from detectattn.distributed.session import Node
from detectattn.distributed.settings import ModelSetup, ReplicaSize, RunSettings
from detectattn.distributed.sizing import choose_size
from detectattn.distributed.trial import list_sizes
from detectattn.engines import model_name
from detectattn.engines.base import EngineOptions
from detectattn.sinks.base import Sink
from detectattn.sources.base import ReadOptions
from detectattn.storage import Store
from detectattn.types import ModelInfo
from detectattn.weights.locate import locate_weights

_MOST_TRIED = 8
_MOST_WORKERS = 16


@dataclass(frozen=True, slots=True)
class OpenSinks:
    """Opens what a shard writes; can be pickled.

    Attributes:
        config: The options that apply.
    """

    config: PredictConfig

    def __call__(self, folder: Path, model_info: ModelInfo) -> Sequence[Sink]:
        """The sinks of a shard's folder, that of the records last."""
        return open_sinks(folder, self.config, model_info)


@dataclass(frozen=True, slots=True, eq=False)
class ClusterModel:
    """How all replicas run the model.

    Attributes:
        setup: How they open it.
        size: What each takes of a machine.
        described: ``models[0]`` of ``run.json``.
    """

    setup: ModelSetup
    size: ReplicaSize
    described: Mapping[str, Any]

    def to_settings(self, config: PredictConfig, store: Store) -> RunSettings:
        """All that a replica needs.

        Raises:
            UnknownClass: The model lacks a class that is asked for.
        """
        names = {int(class_id): str(name) for class_id, name in self.described["class_names"].items()}
        return RunSettings(
            store=store,
            shared=store,
            model=self.setup,
            thresholds=choose_thresholds(config, names),
            read=to_read_options(config, (self.described["net_hw"][0], self.described["net_hw"][1])),
            isolate=config.isolate,
            workers=min(_MOST_WORKERS, self.size.cpus),
            open_sinks=OpenSinks(config),
        )


def to_read_options(config: PredictConfig, net_hw: tuple[int, int] | None) -> ReadOptions:
    """How inputs are read; ``net_hw`` is the size of the network's input, where it is known."""
    read = read_options(config)
    return read if net_hw is None else reduce_pictures(read, config, net_hw)


def recall_model(config: PredictConfig, described: Mapping[str, Any]) -> ClusterModel:
    """The model as an earlier sitting of the run had it.

    Args:
        config: The options that apply.
        described: ``models[0]`` of its ``run.json``.

    Raises:
        UnreadableRecord: It does not say how the model is opened.
    """
    setup = setup_from_dict(described.get("replica", {}))
    size = described["replica_size"]
    cpus = size["cpus"] if config.replica_cpus is None else config.replica_cpus
    gpus = size["gpus"] if config.replica_gpus is None else config.replica_gpus
    return ClusterModel(setup, ReplicaSize(cpus, gpus), described)


@dataclass(frozen=True, slots=True, eq=False)
class ModelFinder:
    """A new run's way to its model.

    Attributes:
        config: The options that apply.
        sources: As typed.
        nodes: The machines of the cluster.
        notices: Told what was chosen.
        check_stop: Raises where the run is to end.
    """

    config: PredictConfig
    sources: Sequence[str]
    nodes: Sequence[Node]
    notices: Notices
    check_stop: Callable[[], None]

    def find(self, manifest: Manifest, store: Store) -> ClusterModel:
        """Locate the weights, put them into the store, and let a scout open them.

        Raises:
            ModelError, EngineError, FetchError, ClusterError: The model cannot be had or opened.
        """
        config = self.config
        size = choose_size(self.nodes, config.device, config.replica_cpus, config.replica_gpus)
        request = self._request(manifest, store, size)
        with show_steps(quiet=self.notices.quiet) as on_step:

            def wait() -> None:
                self.check_stop()
                on_step(f"opening {request.name} on the cluster")

            report = open_model_there(request, size, wait)
        for kind, text in report.messages:
            (self.notices.say if kind == "say" else self.notices.warn)(text)
        size = self._announce(report, size)
        replica = {"replica": setup_to_dict(report.setup), "replica_size": {"cpus": size.cpus, "gpus": size.gpus}}
        tried = (
            {"replica_trials": [[t.cpus, t.streams, t.images_per_s] for t in report.trials]} if report.trials else {}
        )
        weights = {"weights": asdict(request.weights)}  # where they are here, not where the scout had them
        return ClusterModel(report.setup, size, {**report.described, **weights, **replica, **tried})

    def _announce(self, report: ScoutReport, size: ReplicaSize) -> ReplicaSize:
        info = report.info
        if report.batch is not None:
            self.notices.say(report.batch.describe())
        net = f"{info.net_hw[0]}×{info.net_hw[1]}"
        self.notices.detail(f"engine: {report.described['engine_reason']}")
        self.notices.say(f"{info.name} ({info.family}): {info.engine} on {info.device}, {info.precision}, {net}")
        if not report.trials:
            return size
        rates = ", ".join(f"{_name_cores(trial.cpus)}: {trial.images_per_s:.3g} images/s" for trial in report.trials)
        cpus = report.setup.options.threads or size.cpus
        self.notices.say(f"{_name_cores(cpus)} a replica, by what one did ({rates})")
        return replace(size, cpus=cpus)

    def _request(self, manifest: Manifest, store: Store, size: ReplicaSize) -> ScoutRequest:
        config = self.config
        name, model = split_model_name(config.model)
        with show_download(quiet=self.notices.quiet) as on_progress:
            weights = locate_weights(model, offline=config.offline, on_notice=self.notices.say, on_progress=on_progress)
        node_cpus = max((node.cpus for node in self.nodes if node.cpus >= size.cpus), default=size.cpus)
        tries = config.replica_cpus is None and not size.gpus
        options = EngineOptions(
            device=config.device,
            precision=config.precision,
            imgsz_hw=parse_imgsz(config.imgsz),
            batch=parse_batch(config.batch),
            trust_weights=config.trust_weights,
            threads=size.cpus if size.cpus < node_cpus else None,
            hint="throughput",
        )
        return ScoutRequest(
            store=store,
            package=put_model(weights, store),
            weights=weights,
            name=name or model_name(weights.path),
            engine=config.engine,
            options=options,
            work=Work(manifest.inputs, tuple(map(_to_absolute, self.sources)), _to_absolute(config.calibrate)),
            choose_batch=config.batch == AUTO_BATCH,
            pictures=tuple(read_shard(store, 0)[:_MOST_TRIED]),
            read=to_read_options(config, None),
            node_cpus=node_cpus,
            trial_cpus=list_sizes(size.cpus, manifest.inputs) if tries else (),
            describe=_describe,
        )


def _name_cores(cpus: int) -> str:
    return "1 core" if cpus == 1 else f"{cpus:,} cores"


def _describe(opened: OpenedModel) -> dict[str, Any]:
    return describe_opened(opened, "throughput")


def _to_absolute(text: str) -> str:
    """A path of this process as others find it; anything else as it is."""
    return str(Path(text).absolute()) if text and "://" not in text and Path(text).exists() else text
