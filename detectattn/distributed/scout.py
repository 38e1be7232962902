"""Open the model once as a replica would, where one would: engine, precision, batch and streams are decided there.

What it decides holds for all replicas. A conversion that it finds or makes goes into the run's store.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from detectattn.conversion.choose import OpenedModel, is_convertible, open_model
from detectattn.conversion.engine_cache import find_engine
from detectattn.conversion.own_export import to_judged_options
from detectattn.conversion.record import ConversionRecord
from detectattn.conversion.work import Tell, Work
from detectattn.distributed.failure_text import describe_error
from detectattn.distributed.manifest import Item
from detectattn.distributed.model_files import place_model, put_model
from detectattn.distributed.settings import ModelPackage, ModelSetup
from detectattn.distributed.trial import ReplicaTrial, choose_cpus, time_replicas
from detectattn.engines.base import EngineOptions
from detectattn.errors import EngineError
from detectattn.pipeline.choose_batch import BatchChoice, choose_batch, fit_first
from detectattn.sources import iter_frames
from detectattn.sources.base import ReadOptions
from detectattn.storage.base import Store
from detectattn.types import ModelInfo, WeightsFile


@dataclass(frozen=True, slots=True, eq=False)
class ScoutRequest:
    """What is to be opened.

    Attributes:
        store: Where the run goes.
        package: The weights' files as they lie there.
        weights: What they are; the path is that on the driver's machine.
        name: The model's name in records.
        engine: As asked for.
        options: As asked for.
        work: What it is opened for.
        choose_batch: Whether the batch size is found by trying.
        pictures: Inputs to try on.
        read: How inputs are read.
        node_cpus: Cores of the machine.
        trial_cpus: Cores a replica that are tried; empty to take those of the request's task.
        describe: What ``run.json`` keeps of the opened model.
    """

    store: Store
    package: ModelPackage
    weights: WeightsFile
    name: str
    engine: str
    options: EngineOptions
    work: Work
    choose_batch: bool
    pictures: tuple[Item, ...]
    read: ReadOptions
    node_cpus: int
    trial_cpus: tuple[int, ...]
    describe: Callable[[OpenedModel], dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class ScoutReport:
    """What was decided.

    Attributes:
        info: The model.
        setup: How replicas open it.
        described: For ``run.json``.
        batch: How the batch size was chosen, where it was by trying.
        trials: What replicas of several sizes did; empty where none was tried.
        messages: What was said and warned of meanwhile, in order, as ``say`` or ``warn`` and the text.
    """

    info: ModelInfo
    setup: ModelSetup
    described: dict[str, Any]
    batch: BatchChoice | None
    trials: tuple[ReplicaTrial, ...]
    messages: tuple[tuple[str, str], ...]


def scout(request: ScoutRequest) -> ScoutReport | dict[str, str]:
    """Open the model and decide; an error is returned in words. Runs as a task of Ray's."""
    try:
        return _decide(request)
    except Exception as error:  # noqa: BLE001 - returned, so that Ray adds nothing to it
        return describe_error(error, "the machine that opened the model")


def _decide(request: ScoutRequest) -> ScoutReport:
    messages: list[tuple[str, str]] = []
    tell = Tell(lambda text: messages.append(("say", text)), lambda text: messages.append(("warn", text)))
    weights = replace(request.weights, path=place_model(request.package, request.store).path)
    opened = open_model(
        weights, request.options, name=request.name, engine=request.engine, work=request.work, tell=tell
    )
    detector = opened.detector
    try:
        batch = _choose_batch(request, opened) if request.choose_batch else None
        if batch is not None:
            detector.batch = batch.batch
        package, precision = _pack(request, weights, opened)
        spec = detector.engine.spec
        options = replace(request.options, precision=precision, batch=detector.batch, streams=spec.streams)
        original = None if package is request.package else request.package
        setup = ModelSetup(package, detector.info.name, spec.engine, options, original)
        described = request.describe(opened)
    finally:
        detector.close()
    trials = time_replicas(request, setup) if spec.device == "cpu" and request.trial_cpus else ()
    cpus = choose_cpus(trials, request.node_cpus)
    if cpus is not None and cpus < request.node_cpus:
        # So many streams as that replica has of itself.
        streams = next(trial.streams for trial in trials if trial.cpus == cpus)
        setup = replace(setup, options=replace(setup.options, threads=cpus, streams=streams))
    return ScoutReport(detector.info, setup, described, batch, trials, tuple(messages))


def _choose_batch(request: ScoutRequest, opened: OpenedModel) -> BatchChoice:
    planes = None
    if request.pictures:
        planes = fit_first(opened.detector, request.pictures[0], lambda media: iter_frames(media, request.read))
    return choose_batch(opened.detector, planes)


def _pack(request: ScoutRequest, weights: WeightsFile, opened: OpenedModel) -> tuple[ModelPackage, str]:
    """The files that replicas open, in the store, and the precision to open them with."""
    if opened.conversion is None:
        return request.package, request.options.precision
    record = ConversionRecord.from_dict(opened.conversion)
    if not is_convertible(weights):
        return request.package, to_judged_options(request.options, record.settings).precision
    cached = find_engine(weights.sha256, record.settings)
    if cached is None or cached.damage is not None:
        raise EngineError(
            f"the converted {request.name} is no longer in the cache of the machine that made it",
            hint="Run it again; if it happens again, give its export as the model",
        )
    return put_model(cached.record.to_weights(cached.folder), request.store), record.settings.run_precision
