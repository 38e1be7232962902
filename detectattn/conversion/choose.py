"""Which engine runs a model: a converted one from the cache, one made now, or PyTorch.

an export          runs as it is
on a GPU           that PyTorch can use: PyTorch, unless an engine is asked for
a converted model  that passed its gate is always used; neither PyTorch nor Ultralytics is imported then
otherwise          it is made if it was asked for, or if the work at hand repays it
else               PyTorch
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from detectattn.conversion.accelerator import find_accelerator
from detectattn.conversion.converted import Converted, Converter, NotConverted, Target, refuse
from detectattn.conversion.own_export import load_export_record, open_export
from detectattn.conversion.settings import ConversionSettings, EngineName, Precision
from detectattn.conversion.work import Tell, Work
from detectattn.engines import model_name, open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.errors import ConfigError
from detectattn.types import WeightsFile

__all__ = [
    "OpenedModel",
    "Target",
    "choose_target",
    "choose_targets",
    "is_convertible",
    "load_export_record",
    "open_model",
    "refuse",
]

_CONVERTIBLE = frozenset({"pt", "safetensors"})
_RUNTIMES: dict[EngineName, str] = {"openvino": "openvino", "onnx": "onnxruntime", "tensorrt": "onnxruntime"}
_ON_PROCESSORS: tuple[EngineName, ...] = ("openvino", "onnx")
_PRECISIONS: dict[str, Precision] = {"auto": "fp32", "fp32": "fp32", "fp16": "fp16", "bf16": "bf16", "int8": "int8"}


@dataclass(frozen=True, slots=True, eq=False)
class OpenedModel:
    """A model that is ready.

    Attributes:
        detector: Its ``weights`` are those that were asked for, whatever was made of them.
        reason: Why this engine runs it, in a clause.
        conversion: What ``run.json`` keeps of a conversion (:class:`~detectattn.conversion.record.ConversionRecord`);
            None where PyTorch runs the model, or an export does as it is.
    """

    detector: Detector
    reason: str
    conversion: dict[str, Any] | None = None


def open_model(
    weights: WeightsFile,
    options: EngineOptions,
    *,
    name: str | None = None,
    engine: str = "auto",
    work: Work | None = None,
    tell: Tell | None = None,
) -> OpenedModel:
    """Load a model with the engine that suits it, its options and the work at hand.

    Args:
        weights: The model on disk.
        options: Device, precision, image size, batch.
        name: Its name in records; by default that of the file.
        engine: ``auto``, ``torch``, ``openvino``, ``onnx``.
        work: What it is opened for; by default nothing is known of it.
        tell: Who is told of what is done.

    Raises:
        EngineError: The engine asked for cannot run it, or what was made did not pass the parity gate.
        ModelError, ConfigError, OutputError: As the engines and the conversion raise them.
    """
    tell = tell or Tell()
    if not is_convertible(weights):
        return _open_export(weights, options, name, engine, tell)
    options, targets = _settle(options, engine)
    if not targets:
        reason = "asked for" if engine == "torch" else "no other engine suits the device or is installed"
        return _open_torch(weights, options, name, reason)
    name = name or model_name(weights.path)
    converters = [Converter(weights, options, name, target, work or Work(), tell) for target in targets]
    found = _find_ready(converters) or converters[0].convert()
    if isinstance(found, NotConverted):
        return _open_torch(weights, options, name, found.reason)
    return _open_converted(found, weights, name)


def _open_export(
    weights: WeightsFile, options: EngineOptions, name: str | None, engine: str, tell: Tell
) -> OpenedModel:
    detector, record = open_export(weights, options, name=name, engine=engine)
    if record is None:
        return OpenedModel(detector, "it is an export")
    if record.refused:
        tell.warn(f"{detector.info.name} did not pass its gate and was kept with --force: {'; '.join(record.refused)}")
    if record.unjudged is not None:
        tell.warn(f"nothing is known of how exact {detector.info.name} is here: {record.unjudged}")
    return OpenedModel(detector, "it is an export", record.to_dict())


def is_convertible(weights: WeightsFile) -> bool:
    """Whether PyTorch holds the model, rather than it being an export already."""
    return weights.format in _CONVERTIBLE


def choose_target(options: EngineOptions, engine: str) -> Target | None:
    """What a model would be converted to; None where PyTorch is the one to run it.

    Raises:
        ConfigError: There is no such engine or precision.
    """
    return next(iter(choose_targets(options, engine)), None)


def choose_targets(options: EngineOptions, engine: str) -> tuple[Target, ...]:
    """What a model may be converted to, the first choice first; none where PyTorch is the one to run it.

    Raises:
        ConfigError: There is no such engine or precision.
    """
    if engine not in ("auto", "torch", *_RUNTIMES) or options.precision not in _PRECISIONS:
        raise ConfigError(
            f"there is no engine {engine!r} at precision {options.precision!r}",
            hint=f"Engines are auto, torch, {', '.join(_RUNTIMES)}; precisions are {', '.join(_PRECISIONS)}",
        )
    for converted in _RUNTIMES:
        if engine == converted:
            return (Target(_to_settings(options, converted), required=True),)
    return () if engine == "torch" else _choose_for_auto(options)


def _choose_for_auto(options: EngineOptions) -> tuple[Target, ...]:
    openvino_alone = (Target(_to_settings(options, "openvino"), required=True),)
    if options.precision in ("int8", "bf16"):  # PyTorch has neither
        return openvino_alone
    if options.device not in ("auto", "cpu") or (options.device == "auto" and find_accelerator()):
        return ()
    if options.precision == "fp16":  # on a processor PyTorch does not have it
        return openvino_alone
    installed = [engine for engine in _ON_PROCESSORS if find_spec(_RUNTIMES[engine]) is not None]
    return tuple(Target(_to_settings(options, engine), required=False) for engine in installed)


def _settle(options: EngineOptions, engine: str) -> tuple[EngineOptions, tuple[Target, ...]]:
    """What a model may be converted to; for the processor, where PyTorch cannot use the GPU that was found."""
    targets = choose_targets(options, engine)
    if targets or (engine, options.device) != ("auto", "auto"):
        return options, targets
    # PyTorch is loaded next in any case, and knows better than the driver.
    from detectattn.engines.pytorch import find_device

    if find_device("auto").type != "cpu":
        return options, ()
    options = replace(options, device="cpu")
    return options, choose_targets(options, engine)


def _to_settings(options: EngineOptions, engine: EngineName) -> ConversionSettings:
    return ConversionSettings(
        engine=engine,
        precision=_PRECISIONS[options.precision],
        net_hw=options.imgsz_hw,
        batch=(options.batch or None) if engine == "tensorrt" else None,
        device=options.device,
        decoder_layers=options.decoder_layers,
        queries=options.queries,
    )


def _find_ready(converters: Sequence[Converter]) -> Converted | None:
    """The first choice of what is in the cache already, where there is a choice."""
    return next(filter(None, (converter.find() for converter in converters if not converter.target.required)), None)


def _open_converted(found: Converted, weights: WeightsFile, name: str) -> OpenedModel:
    detector = open_detector(found.weights, found.options, name=name, engine=found.record.settings.engine)
    detector.weights = weights
    return OpenedModel(detector, found.reason, found.record.to_dict())


def _open_torch(weights: WeightsFile, options: EngineOptions, name: str | None, reason: str) -> OpenedModel:
    return OpenedModel(open_detector(weights, options, name=name, engine="torch"), reason)
