"""The step of ``demo`` that detects: each model on the pictures and the clip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detectattn.cli.console import format_rate, format_table
from detectattn.cli.demo_step import MODELS, Shown, Stage
from detectattn.cli.predict_run import PredictRun
from detectattn.config import PredictConfig

_HEADER = ("model", "images", "frames", "found", "network ms", "images/s")


@dataclass(frozen=True, slots=True)
class Detected:
    """How one model's run went.

    Attributes:
        model: Its name.
        folder: Of the run.
        images: Pictures done.
        frames: Frames of the clip done.
        detections: How many boxes it found in all of them.
        network_ms: Mean time that a picture or frame spent in the network.
        images_per_s: Pictures and frames a second, reading, drawing and writing included.
        exit_code: Of the run.
    """

    model: str
    folder: Path
    images: int
    frames: int
    detections: int
    network_ms: float
    images_per_s: float
    exit_code: int


def predict_samples(stage: Stage) -> Shown:
    """Run both models, each into a folder of its own name.

    Raises:
        DetectattnError: A model or the samples cannot be used.
    """
    runs = [_detect(model, stage) for model in MODELS]
    return Shown(
        lines=(
            *format_table(_HEADER, [_to_row(run) for run in runs], numbers=range(1, 6)),
            "Times are of runs in which reading, drawing and writing share the processor.",
        ),
        paths=(
            *(("pictures", run.folder / "images") for run in runs),
            *(("videos", run.folder / "videos" / stage.clip.name) for run in runs),
            *(("records", run.folder / "predictions.jsonl") for run in runs),
        ),
        fields={"models": [_to_fields(run) for run in runs]},
        exit_code=max(run.exit_code for run in runs),
    )


def _detect(model: str, stage: Stage) -> Detected:
    stage.say(f"predict: {model} on {stage.images.parent.name}/{stage.images.name}/ and {stage.clip.name}")
    folder = stage.folder / model
    sources = [str(path) for path in (*sorted(stage.images.iterdir()), stage.clip)]
    config = PredictConfig(model=model, offline=True)
    run = PredictRun(sources, config, folder, quiet=True, verbose=False, as_json=False)
    exit_code = run.execute()
    tally = run.tally
    return Detected(
        model=model,
        folder=folder,
        images=tally.images,
        frames=tally.frames,
        detections=tally.detections.total(),
        network_ms=tally.mean_timing().infer_ms,
        images_per_s=tally.done / tally.elapsed_s,
        exit_code=exit_code,
    )


def _to_row(run: Detected) -> tuple[str, ...]:
    counts = (run.images, run.frames, run.detections)
    return run.model, *(f"{count:,}" for count in counts), f"{run.network_ms:.1f}", format_rate(run.images_per_s)


def _to_fields(run: Detected) -> dict[str, Any]:
    return {
        "model": run.model,
        "run": str(run.folder),
        "images": run.images,
        "frames": run.frames,
        "detections": run.detections,
        "network_ms": round(run.network_ms, 3),
        "images_per_s": round(run.images_per_s, 3),
    }
