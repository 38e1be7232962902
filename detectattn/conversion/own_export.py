"""An export that ``detectattn export`` made: opened as it was judged, or marked where it is to run otherwise."""

from __future__ import annotations

from dataclasses import replace

from detectattn.conversion.record import ConversionRecord, load_record
from detectattn.conversion.settings import ConversionSettings
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.types import ModelInfo, WeightsFile


def load_export_record(weights: WeightsFile) -> ConversionRecord | None:
    """What is known of an export that ``detectattn export`` made; None of any other."""
    folder = weights.path if weights.path.is_dir() else weights.path.parent
    record = load_record(folder)
    return record if record is not None and weights.path in (folder, folder / record.model_file) else None


def open_export(
    weights: WeightsFile, options: EngineOptions, *, name: str | None = None, engine: str = "auto"
) -> tuple[Detector, ConversionRecord | None]:
    """Load an export. One of our own runs as its gate judged it, where options and engine leave that open.

    Args:
        weights: The export.
        options: How it is to be run.
        name: Its name in records.
        engine: As in :func:`~detectattn.engines.open_detector`.

    Returns:
        The model, and what is known of it, with ``unjudged`` where it does not run as it was judged.

    Raises:
        EngineError, ModelError: As :func:`~detectattn.engines.open_detector` raises them.
    """
    record = load_export_record(weights)
    if record is None:
        return open_detector(weights, options, name=name, engine=engine), None
    settings = record.settings
    if engine == "auto" and settings.engine == "tensorrt" and options.device.partition(":")[0] in ("auto", "cuda"):
        engine = "tensorrt"  # the file alone says no more than that it is ONNX
    detector = open_detector(weights, to_judged_options(options, settings), name=name, engine=engine)
    return detector, replace(record, unjudged=_find_departure(detector.info, settings))


def to_judged_options(options: EngineOptions, settings: ConversionSettings) -> EngineOptions:
    """The same, in the precision that the gate judged where none is asked for."""
    return replace(options, precision=settings.run_precision) if options.precision == "auto" else options


def _find_departure(info: ModelInfo, settings: ConversionSettings) -> str | None:
    """In what a model runs otherwise than it was judged, a sentence."""
    runs = (info.engine, info.device.partition(":")[0], info.precision)
    judged = (settings.engine, settings.device.partition(":")[0], settings.precision)
    if runs == judged:
        return None
    said = ["{} on {}, {}".format(*form) for form in (runs, judged)]
    return f"it runs as {said[0]}, and its parity gate judged it as {said[1]}"
