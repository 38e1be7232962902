"""What is written of a model that a study runs: from its entry and what its process tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from detectattn.compare import messages as msg
from detectattn.compare.child import Child
from detectattn.compare.entrants import ModelEntrant
from detectattn.compare.frames import PictureInfo
from detectattn.compare.measured import Measured, Timed
from detectattn.compare.noise import MachineState
from detectattn.compare.speed import SpeedSamples, compute_joules_per_image
from detectattn.engines.base import EngineOptions
from detectattn.types import Prediction, StageTiming
from detectattn.weights.registry import find_model


def to_spec(entrant: ModelEntrant, options: EngineOptions, pixels: Path) -> msg.WorkerSpec:
    """What a process is to load: the model itself, or what was made of it by conversion."""
    made = entrant.runs
    if made is None:
        return msg.WorkerSpec(entrant.name, entrant.weights, options, entrant.engine, pixels)
    as_made = replace(made.options, imgsz_hw=options.imgsz_hw)
    engine = entrant.engine if made.weights == entrant.weights else made.record.settings.engine
    return msg.WorkerSpec(entrant.name, made.weights, as_made, engine, pixels)


def begin(entrant: ModelEntrant) -> Measured:
    """What is known of a model before it is loaded."""
    return Measured(
        name=entrant.name,
        kind="model",
        base=entrant.base,
        variant=entrant.variant,
        status="timed",
        file=str(entrant.weights.path),
        sha256=entrant.weights.sha256,
        conversion=None if entrant.runs is None else entrant.runs.record,
    )


def describe(entrant: ModelEntrant, child: Child, notes: tuple[str, ...]) -> Measured:
    """What is known of a model once it is loaded."""
    loaded = child.loaded
    published = find_model(entrant.weights.path.stem)
    known = published is not None and entrant.weights.origin not in ("local", "embedded")
    begun = begin(entrant)
    made = begun.conversion
    return replace(
        begun,
        class_names=loaded.info.class_names,
        info=loaded.info,
        load_s=loaded.load_s,
        params_m=loaded.params_m if made is None else made.params_m,
        gflops=loaded.gflops if made is None else made.gflops,
        weights_mb=loaded.weights_mb,
        net_pixels=sum(loaded.net_pixels) / len(loaded.net_pixels),
        published=published.name if published is not None and known else None,
        max_det=loaded.max_det,
        notes=(*entrant.notes, *notes),
    )


def to_timed(
    together: tuple[str, ...],
    samples: SpeedSamples,
    decode_ms: tuple[float, ...],
    before: MachineState,
    after: MachineState,
) -> Timed:
    """What its rounds gave."""
    return Timed(
        together=together,
        warm_up=samples.warm_up,
        decode_ms=decode_ms,
        rounds=samples.rounds,
        sittings=samples.sittings,
        images_per_s=samples.images_per_s,
        memory=samples.memory,
        energy_j=compute_joules_per_image(samples.rounds),
        meter=samples.meter,
        before=before,
        after=after,
    )


def to_predictions(infos: Sequence[PictureInfo], reply: msg.Detected, measured: Measured) -> list[Prediction]:
    """Records of some pictures."""
    times = zip(reply.times.preprocess_ms, reply.times.forward_ms, reply.times.postprocess_ms, strict=True)
    return [
        Prediction(
            source=info.source,
            index=info.index,
            size_hw=info.size_hw,
            detections=found,
            model=measured.name,
            class_names=measured.class_names,
            timing=StageTiming(info.decode_ms, *stages),
            timestamp_s=info.timestamp_s,
            warnings=info.warnings,
        )
        for info, found, stages in zip(infos, reply.detections, times, strict=True)
    ]
