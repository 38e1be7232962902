"""Which engine runs a model: a converted one from the cache, one made now, or PyTorch.

an export          runs as it is
a converted model  that passed its gate is always used; neither PyTorch nor Ultralytics is imported then
otherwise          it is made if it was asked for, or if the work at hand repays it
else               PyTorch
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from detectattn.conversion.accelerator import find_accelerator
from detectattn.conversion.engine_cache import CachedEngine, find_engine
from detectattn.conversion.record import ConversionRecord, load_record
from detectattn.conversion.repay import can_repay
from detectattn.conversion.settings import SHOWN_NAMES, ConversionSettings, EngineName, Precision
from detectattn.conversion.work import Tell, Work
from detectattn.engines import model_name, open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.errors import ConfigError, EngineError, OutputError
from detectattn.types import WeightsFile

_CONVERTIBLE = frozenset({"pt", "safetensors"})
_RUNTIMES: dict[EngineName, str] = {"openvino": "openvino", "onnx": "onnxruntime"}
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


@dataclass(frozen=True, slots=True)
class Target:
    """An engine that may run a model.

    Attributes:
        settings: What the model would be converted to.
        required: Whether the user named the engine or a precision that only it has: PyTorch does not step in then.
    """

    settings: ConversionSettings
    required: bool


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
    target = choose_target(options, engine)
    if target is None:
        reason = "asked for" if engine == "torch" else "no other engine suits the device or is installed"
        return _open_torch(weights, options, name, reason)
    return _Opening(weights, options, name or model_name(weights.path), target, work or Work(), tell).open()


def _open_export(
    weights: WeightsFile, options: EngineOptions, name: str | None, engine: str, tell: Tell
) -> OpenedModel:
    detector = open_detector(weights, options, name=name, engine=engine)
    folder = weights.path if weights.path.is_dir() else weights.path.parent
    record = load_record(folder)
    if record is None or weights.path not in (folder, folder / record.model_file):
        return OpenedModel(detector, "it is an export")
    if not record.passed:
        tell.warn(f"{detector.info.name} did not pass its gate and was kept with --force: {'; '.join(record.refused)}")
    return OpenedModel(detector, "it is an export", record.to_dict())


def is_convertible(weights: WeightsFile) -> bool:
    """Whether PyTorch holds the model, rather than it being an export already."""
    return weights.format in _CONVERTIBLE


def choose_target(options: EngineOptions, engine: str) -> Target | None:
    """What a model would be converted to; None where PyTorch is the one to run it.

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
            return Target(_to_settings(options, converted), required=True)
    return None if engine == "torch" else _choose_for_auto(options)


def _choose_for_auto(options: EngineOptions) -> Target | None:
    if options.precision in ("int8", "bf16"):  # PyTorch has neither
        return Target(_to_settings(options, "openvino"), required=True)
    if options.device not in ("auto", "cpu") or (options.device == "auto" and find_accelerator()):
        return None
    if options.precision == "fp16":  # on a processor PyTorch does not have it
        return Target(_to_settings(options, "openvino"), required=True)
    for engine, package in _RUNTIMES.items():
        if find_spec(package) is not None:
            return Target(_to_settings(options, engine), required=False)
    return None


def _to_settings(options: EngineOptions, engine: EngineName) -> ConversionSettings:
    return ConversionSettings(
        engine=engine,
        precision=_PRECISIONS[options.precision],
        net_hw=options.imgsz_hw,
        device="cpu" if engine == "openvino" and options.device == "auto" else options.device,
        decoder_layers=options.decoder_layers,
        queries=options.queries,
    )


def _open_torch(weights: WeightsFile, options: EngineOptions, name: str | None, reason: str) -> OpenedModel:
    return OpenedModel(open_detector(weights, options, name=name, engine="torch"), reason)


@dataclass(frozen=True, slots=True)
class _Opening:
    """One model on its way to an engine."""

    weights: WeightsFile
    options: EngineOptions
    name: str
    target: Target
    work: Work
    tell: Tell

    def open(self) -> OpenedModel:
        settings = self._with_calibration()
        cached = find_engine(self.weights.sha256, settings)
        if cached is not None and cached.damage is not None:
            self.tell.warn(f"the converted {self.name} in the cache is damaged ({cached.damage}); it is made again")
        elif cached is not None:
            return self._use(cached, "a conversion that passed its gate was in the cache")
        elif not self.target.required and not self._may_be_worth_it():
            return self._fall_back("too few pictures, or too uncertain a number, to repay a conversion")
        # What converts imports PyTorch.
        from detectattn.conversion.make import Maker

        maker = Maker(self.weights, self.name, settings, self.options.trust_weights, self.work, self.tell)
        must = self.target.required or cached is not None
        try:
            made, reason = maker.make(must=must)
        except (EngineError, OutputError) as error:
            if self.target.required:
                raise
            self.tell.warn(f"PyTorch runs {self.name}: {error.problem}")
            return self._fall_back("it could not be converted")
        return self._fall_back(reason) if made is None else self._use(made, reason)

    def _with_calibration(self) -> ConversionSettings:
        settings = self.target.settings
        if settings.precision != "int8" or not self.work.calibrate:
            return settings
        from detectattn.conversion.pictures import sample_calibration

        return replace(settings, calibration=sample_calibration((self.work.calibrate,)).compute_digest())

    def _may_be_worth_it(self) -> bool:
        complete = self.target.settings.engine == "openvino" or find_spec("onnx") is not None
        return complete and can_repay(self.work.pictures)

    def _use(self, cached: CachedEngine, reason: str) -> OpenedModel:
        record = cached.record
        shown = SHOWN_NAMES[record.settings.engine]
        if not record.passed:
            refusal = "; ".join(record.refused)
            if self.target.required:
                raise refuse(record, self.name)
            self.tell.say(f"PyTorch runs {self.name}: converted to {shown} it is not the same ({refusal})")
            return self._fall_back(f"the conversion to {shown} did not pass its gate")
        options = replace(
            self.options,
            precision="bf16" if record.settings.precision == "bf16" else "auto",
            decoder_layers=None,
            queries=None,
        )
        converted = record.to_weights(cached.folder)
        detector = open_detector(converted, options, name=self.name, engine=record.settings.engine)
        detector.weights = self.weights
        return OpenedModel(detector, reason, record.to_dict())

    def _fall_back(self, reason: str) -> OpenedModel:
        return _open_torch(self.weights, self.options, self.name, reason)


def refuse(record: ConversionRecord, name: str) -> EngineError:
    """The error for a conversion that did not pass its gate."""
    settings = record.settings
    int8 = settings.precision == "int8"
    other = "other pictures with --calibrate, or --precision fp32" if int8 else "--engine torch"
    return EngineError(
        f"{name} converted to {SHOWN_NAMES[settings.engine]} at {settings.precision} is not the same model, and is "
        f"not used: {'; '.join(record.refused)}",
        hint=f"Use {other}; `detectattn export --force` keeps such a model all the same",
    )
